//! What a log may hold after a crash: the state after some record that was submitted, not before the
//! last one that was reported as durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    pub(super) vote: Option<VoteMark>,
    pub(super) purged: Option<Position>,
    pub(super) entries: Vec<LogEntry>,
}

impl Snapshot {
    pub(super) fn next_index(&self) -> u64 {
        match (self.entries.last(), self.purged) {
            (Some(last), _) => last.position.index + 1,
            (None, Some(purged)) => purged.index + 1,
            (None, None) => 0,
        }
    }
}

/// The states after each record submitted in one boot, the first being what was found.
pub(super) struct History {
    states: Vec<Snapshot>,
    /// The number of the last state known to be durable.
    durable: Arc<AtomicUsize>,
}

impl History {
    pub(super) fn new(found: Snapshot) -> Self {
        Self { states: vec![found], durable: Arc::default() }
    }

    pub(super) fn now(&self) -> &Snapshot {
        self.states.last().expect("never empty")
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Snapshot)) {
        let mut next = self.now().clone();
        change(&mut next);
        self.states.push(next);
    }

    /// A completion which reports that everything submitted so far is durable.
    pub(super) fn reached(&self) -> Completion {
        let (durable, number) = (self.durable.clone(), self.states.len() - 1);
        Box::new(move |outcome| {
            if outcome.is_ok() {
                durable.fetch_max(number, Ordering::Relaxed);
            }
        })
    }

    pub(super) fn durable_so_far(&self) {
        self.durable.store(self.states.len() - 1, Ordering::Relaxed);
    }

    /// Checks what was found after the crash, and returns it.
    pub(super) async fn check(&self, wal: &Wal, what: &str) -> Snapshot {
        let state = wal.state();
        let found = Snapshot { vote: state.vote, purged: state.purged, entries: all(wal).await };
        let durable = self.durable.load(Ordering::Relaxed);
        assert!(
            self.states[durable..].contains(&found),
            "{what}: found {found:?}\nbut state {durable} of {} was durable: {:?}",
            self.states.len(),
            self.states[durable]
        );
        if let Some(committed) = state.committed {
            let purged = found.purged.is_some_and(|purged| committed.index <= purged.index);
            let known = found.entries.iter().any(|entry| entry.position == committed);
            assert!(purged || known, "{what}: committed {committed:?} is not in the log");
        }
        found
    }
}
