//! Raft's asynchronous mutex: tokio's, which serves its waiters in the order of their coming.

use openraft::OptionalSend;
use openraft::async_runtime::Mutex;

/// A mutex that may be held across an await.
pub struct TokioMutex<T>(tokio::sync::Mutex<T>);

impl<T: OptionalSend + 'static> Mutex<T> for TokioMutex<T> {
    type Guard<'a> = tokio::sync::MutexGuard<'a, T>;

    fn new(value: T) -> Self {
        Self(tokio::sync::Mutex::new(value))
    }

    async fn lock(&self) -> Self::Guard<'_> {
        self.0.lock().await
    }
}
