//! One sync for all that wait for one.
//!
//! Invariants:
//! - A caller is answered only by a sync that began after it asked.
//! - A sync that failed is final: what it should have made stable may be gone, and a later sync of
//!   the same descriptor would succeed without having written it. Every later caller fails too.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::vfs::{VfsError, VfsResult};

/// Set by the first sync that fails, for good.
pub(super) type Lost = OnceLock<VfsError>;

/// The syncs of one kind of one descriptor, or of one directory.
#[derive(Debug, Default)]
pub(super) struct SyncGroup {
    /// How many have asked.
    asked: AtomicU64,
    /// Those among the askers that a sync has served.
    served: Mutex<u64>,
}

impl SyncGroup {
    /// Returns once a sync that began after this call has ended. `sync` is run unless another
    /// caller's serves this one too. A failure goes to `lost`, and comes from there ever after.
    pub(super) async fn sync<F>(&self, lost: &Lost, sync: impl FnOnce() -> F) -> VfsResult<()>
    where
        F: Future<Output = VfsResult<()>>,
    {
        let ticket = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut served = self.served.lock().await;
        if let Some(failure) = lost.get() {
            return Err(failure.clone());
        }
        if *served >= ticket {
            return Ok(());
        }
        let serves = self.asked.load(Ordering::SeqCst);
        match sync().await {
            Ok(()) => {
                *served = serves;
                Ok(())
            }
            Err(failure) => {
                if matches!(failure, VfsError::SyncFailed(_)) {
                    let _ = lost.set(failure.clone());
                }
                Err(failure)
            }
        }
    }
}

/// The failure of a sync, as it stays.
pub(super) fn sync_failed(errno: rustix::io::Errno) -> VfsError {
    VfsError::SyncFailed(errno.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_callers_share_few_syncs() {
        let group = Arc::new(SyncGroup::default());
        let lost = Arc::new(Lost::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..64)
            .map(|_| {
                let (group, lost, runs) = (group.clone(), lost.clone(), runs.clone());
                tokio::spawn(async move {
                    group
                        .sync(&lost, || async {
                            runs.fetch_add(1, Ordering::SeqCst);
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                            Ok(())
                        })
                        .await
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        assert!(runs.load(Ordering::SeqCst) < 32);
    }

    #[tokio::test]
    async fn a_failed_sync_is_final() {
        let group = SyncGroup::default();
        let lost = Lost::new();
        let failure = VfsError::SyncFailed("broken".into());
        let first = group.sync(&lost, || std::future::ready(Err(failure.clone()))).await;
        assert_eq!(first, Err(failure.clone()));
        let second = group.sync(&lost, || std::future::ready(Ok(()))).await;
        assert_eq!(second, Err(failure));
    }
}
