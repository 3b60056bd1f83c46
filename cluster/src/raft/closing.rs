//! The end of a node, as its tasks hear of it.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The tasks that live as long as the node does, and the signal that ends the others.
#[derive(Default)]
pub struct Closing {
    closed: AtomicBool,
    signal: Notify,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Closing {
    /// Starts a task that is dropped when the node closes.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock();
        if !self.closed.load(Ordering::Acquire) {
            tasks.push(tokio::spawn(task));
        }
    }

    /// Ends everything. Idempotent.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for task in std::mem::take(&mut *self.tasks.lock()) {
            task.abort();
        }
        self.signal.notify_waiters();
    }

    /// True once the node closes.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Resolves once the node closes.
    pub async fn closed(&self) {
        let signal = self.signal.notified();
        let mut signal = std::pin::pin!(signal);
        // Enlisted before the look, so that a close in between is not missed.
        signal.as_mut().enable();
        if !self.is_closed() {
            signal.await;
        }
    }
}
