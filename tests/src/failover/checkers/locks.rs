//! Exclusive byte-range locks are exclusive in the whole cluster: while one is held, nobody else is
//! given the range, and no write of another open into it is acknowledged.
//!
//! A lock is certainly held from its answer on until the last request of its handle that was
//! answered; whether it still is after that only the next answer tells. So what looks wrong is
//! remembered, and judged when the holder is heard of again.

use std::collections::BTreeMap;

use super::super::history::{At, Block, ClientId, Event, HandleId, Stamp, WriteEnd};
use super::{Checker, Kind, Violation};

struct Held {
    handle: HandleId,
    since: At,
    /// What contradicts it, if it was held at that time.
    suspects: Vec<(At, String)>,
}

#[derive(Default)]
pub struct Locks {
    held: BTreeMap<Block, Vec<Held>>,
    writes: BTreeMap<Stamp, At>,
}

impl Locks {
    fn locked(&mut self, at: At, block: &Block, handle: HandleId, invoked: At) {
        let held = self.held.entry(block.clone()).or_default();
        for other in held.iter_mut().filter(|other| other.handle != handle) {
            // The lock was given at some moment between request and answer: only what was held
            // all that time excludes it.
            if other.since < invoked {
                other.suspects.push((at, format!("{handle:?} was given the lock as well")));
            }
        }
        held.retain(|lock| lock.handle != handle);
        held.push(Held { handle, since: at, suspects: Vec::new() });
    }

    fn written(&mut self, at: At, block: &Block, handle: HandleId, stamp: Stamp) {
        let Some(invoked) = self.writes.get(&stamp) else { return };
        for held in self.held.get_mut(block).into_iter().flatten() {
            if held.handle != handle && held.since < *invoked {
                held.suspects.push((at, format!("a write of {handle:?} was acknowledged")));
            }
        }
    }

    fn heard_of(&mut self, handle: HandleId, sent: At) -> Option<Violation> {
        for (block, held) in &mut self.held {
            for lock in held.iter_mut().filter(|lock| lock.handle == handle) {
                if let Some((at, what)) = lock.suspects.iter().find(|(at, _)| *at < sent) {
                    let since = lock.since;
                    let what =
                        format!("{handle:?} holds {block:?} since {since:?}; at {at:?} {what}");
                    lock.suspects.clear();
                    return Some(Violation::new(Kind::BrokenLock, what));
                }
            }
        }
        None
    }

    fn gone(&mut self, handle: HandleId) {
        for held in self.held.values_mut() {
            held.retain(|lock| lock.handle != handle);
        }
    }
}

impl Checker for Locks {
    fn observe(&mut self, at: At, _client: ClientId, event: &Event) -> Option<Violation> {
        match event {
            Event::WriteInvoked { stamp, .. } => {
                self.writes.insert(*stamp, at);
            }
            Event::WriteEnded { handle, block, stamp, end: WriteEnd::Acknowledged } => {
                self.written(at, block, *handle, *stamp);
            }
            Event::Locked { handle, block, invoked } => self.locked(at, block, *handle, *invoked),
            Event::UnlockInvoked { handle, block } => {
                let held = self.held.entry(block.clone()).or_default();
                held.retain(|lock| lock.handle != *handle);
            }
            Event::CloseInvoked { handle } | Event::Lost { handle, .. } => self.gone(*handle),
            Event::Answered { handle, sent, .. } => return self.heard_of(*handle, *sent),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::history::Operation;
    use super::super::testing::*;
    use super::*;

    fn locked(handle: u64, invoked: u64) -> Event {
        Event::Locked { handle: HandleId(handle), block: block(0), invoked: ms(invoked) }
    }

    fn answered(handle: u64, sent: u64) -> Event {
        let (handle, operation) = (HandleId(handle), Operation::Read);
        Event::Answered { handle, operation, invoked: ms(sent), sent: ms(sent) }
    }

    #[test]
    fn two_holders_are_seen() {
        let events = [(2, locked(1, 1)), (6, locked(2, 5)), (9, answered(1, 8))];
        assert!(first(&mut Locks::default(), &events).is_some());
        let events = [(2, locked(1, 1)), (6, locked(2, 1)), (9, answered(1, 5))];
        assert_eq!(first(&mut Locks::default(), &events), None, "which came first is unknown");
        let released = Event::UnlockInvoked { handle: HandleId(1), block: block(0) };
        let events = [(2, locked(1, 1)), (3, released), (6, locked(2, 5)), (9, answered(1, 8))];
        assert_eq!(first(&mut Locks::default(), &events), None);
    }

    #[test]
    fn a_write_into_a_foreign_lock_is_seen() {
        let written = ended(2, 11, WriteEnd::Acknowledged);
        let events =
            [(2, locked(1, 1)), (4, invoked(2, 11)), (5, written.clone()), (9, answered(1, 8))];
        assert!(first(&mut Locks::default(), &events).is_some());
        let events = [(1, invoked(2, 11)), (2, locked(1, 1)), (5, written), (9, answered(1, 8))];
        assert_eq!(first(&mut Locks::default(), &events), None, "it may have been the first");
    }
}
