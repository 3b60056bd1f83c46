//! What is in flight, by open and by file, and waiting for it to end.
//!
//! Invariant: a ticket is counted from `begin` until it is dropped, whatever becomes of the task
//! that holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_cluster::command::OpenRef;
use holdfast_proto::types::{FileKey, OpenId};
use parking_lot::Mutex;
use tokio::sync::Notify;

#[derive(Default)]
struct Tables {
    next: u64,
    /// Tickets in flight for each file, oldest first.
    files: BTreeMap<FileKey, BTreeSet<u64>>,
    opens: BTreeMap<OpenId, usize>,
    sealed: BTreeSet<OpenRef>,
    /// Drains under way: without any, an end wakes nobody.
    waiters: usize,
}

/// The counts of one node.
#[derive(Default)]
pub(super) struct Inflight {
    tables: Mutex<Tables>,
    ended: Notify,
}

/// One operation in flight.
pub(super) struct Ticket {
    inflight: Arc<Inflight>,
    open: OpenId,
    file: FileKey,
    number: u64,
}

impl Inflight {
    /// Counts an operation in.
    pub(super) fn begin(self: &Arc<Self>, open: OpenId, file: FileKey) -> Ticket {
        let mut tables = self.tables.lock();
        tables.next += 1;
        let number = tables.next;
        tables.files.entry(file).or_default().insert(number);
        *tables.opens.entry(open).or_default() += 1;
        Ticket { inflight: Arc::clone(self), open, file, number }
    }

    pub(super) fn seal(&self, open: OpenRef) {
        self.tables.lock().sealed.insert(open);
    }

    pub(super) fn keep_seals(&self, keep: impl Fn(OpenRef) -> bool) {
        self.tables.lock().sealed.retain(|open| keep(*open));
    }

    pub(super) fn is_sealed(&self, open: OpenRef) -> bool {
        self.tables.lock().sealed.contains(&open)
    }

    pub(super) async fn drain_open(&self, open: OpenId) {
        self.wait_until(|tables| !tables.opens.contains_key(&open)).await;
    }

    pub(super) async fn drain_file(&self, file: FileKey) {
        let begun = self.tables.lock().next;
        self.wait_until(|tables| {
            tables.files.get(&file).and_then(|set| set.first()).is_none_or(|first| *first > begun)
        })
        .await;
    }

    async fn wait_until(&self, done: impl Fn(&Tables) -> bool) {
        loop {
            // Registered before the look, so that an end in between is not missed.
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            {
                let mut tables = self.tables.lock();
                if done(&tables) {
                    return;
                }
                tables.waiters += 1;
            }
            let _leave = Waiting { inflight: self };
            ended.await;
        }
    }

    fn end(&self, open: OpenId, file: FileKey, number: u64) {
        let wake = {
            let mut tables = self.tables.lock();
            if let Some(set) = tables.files.get_mut(&file) {
                set.remove(&number);
                if set.is_empty() {
                    tables.files.remove(&file);
                }
            }
            if let Some(count) = tables.opens.get_mut(&open) {
                *count -= 1;
                if *count == 0 {
                    tables.opens.remove(&open);
                }
            }
            tables.waiters > 0
        };
        if wake {
            self.ended.notify_waiters();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.inflight.end(self.open, self.file, self.number);
    }
}

/// Counts a drain out however it ends.
struct Waiting<'a> {
    inflight: &'a Inflight,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.inflight.tables.lock().waiters -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn file(n: u128) -> FileKey {
        FileKey { file: n, ..FileKey::default() }
    }

    #[tokio::test]
    async fn a_file_drain_waits_for_older_operations_only() {
        let inflight = Arc::<Inflight>::default();
        let older = inflight.begin(OpenId(1), file(1));
        let drain = tokio::spawn({
            let inflight = Arc::clone(&inflight);
            async move { inflight.drain_file(file(1)).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _newer = inflight.begin(OpenId(2), file(1));
        assert!(!drain.is_finished());
        drop(older);
        tokio::time::timeout(Duration::from_secs(5), drain).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_open_drains_when_its_last_operation_ends() {
        let inflight = Arc::<Inflight>::default();
        let first = inflight.begin(OpenId(1), file(1));
        let second = inflight.begin(OpenId(1), file(2));
        let drain = tokio::spawn({
            let inflight = Arc::clone(&inflight);
            async move { inflight.drain_open(OpenId(1)).await }
        });
        drop(first);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!drain.is_finished());
        drop(second);
        tokio::time::timeout(Duration::from_secs(5), drain).await.unwrap().unwrap();
    }
}
