//! Exclusive byte-range locks are exclusive in the whole cluster: while one is held, nobody else is
//! given the range, and nothing of another open is applied to it.
//!
//! A lock is certainly held from its answer on until the last request of its handle that was
//! answered; whether it still is after that only the next answer tells. So what looks wrong is
//! remembered, and judged when the holder is heard of again.

use std::collections::BTreeMap;

use holdfast_proto::types::OpenId;

use super::Checker;
use crate::event::{At, Block, ClientEvent, Event, HandleId, StorageOp};

/// The size of a block, in bytes: locks cover whole ones.
pub const BLOCK_SIZE: u64 = 512;

struct Held {
    handle: HandleId,
    since: At,
    /// What contradicts it, if it was held at that time.
    suspects: Vec<(At, String)>,
}

#[derive(Default)]
pub struct Locks {
    held: BTreeMap<Block, Vec<Held>>,
    opens: BTreeMap<OpenId, (HandleId, String)>,
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

    fn written(&mut self, at: At, open: OpenId, offset: u64, length: u64) {
        let Some((handle, file)) = self.opens.get(&open) else { return };
        for (block, held) in &mut self.held {
            let start = u64::from(block.index) * BLOCK_SIZE;
            let apart = offset >= start + BLOCK_SIZE || offset + length <= start;
            if block.file != *file || apart {
                continue;
            }
            for lock in held.iter_mut().filter(|lock| lock.handle != *handle) {
                lock.suspects.push((at, format!("a write of {handle:?} was applied")));
            }
        }
    }

    fn confirmed(&mut self, handle: HandleId, sent: At) -> Result<(), String> {
        for (block, held) in &mut self.held {
            for lock in held.iter_mut().filter(|lock| lock.handle == handle) {
                if let Some((at, what)) = lock.suspects.iter().find(|(at, _)| *at < sent) {
                    return Err(format!(
                        "{handle:?} holds {block:?} since {:?}, and at {at:?} {what}",
                        lock.since
                    ));
                }
            }
        }
        Ok(())
    }

    fn gone(&mut self, handle: HandleId) {
        for held in self.held.values_mut() {
            held.retain(|lock| lock.handle != handle);
        }
    }
}

impl Checker for Locks {
    fn name(&self) -> &'static str {
        "locks"
    }

    fn observe(&mut self, at: At, event: &Event) -> Result<(), String> {
        match event {
            Event::Applied {
                by, op: StorageOp::Write { offset, length, .. }, ok: true, ..
            } => {
                if let Some((open, _)) = by.open {
                    self.written(at, open, *offset, *length);
                }
            }
            Event::Client { event, .. } => match event {
                ClientEvent::Opened { handle, open, file, .. } => {
                    self.opens.insert(*open, (*handle, file.clone()));
                }
                ClientEvent::Locked { handle, block, invoked } => {
                    self.locked(at, block, *handle, *invoked);
                }
                ClientEvent::UnlockInvoked { handle, block } => {
                    let held = self.held.entry(block.clone()).or_default();
                    held.retain(|lock| lock.handle != *handle);
                }
                ClientEvent::CloseInvoked { handle } | ClientEvent::Lost { handle, .. } => {
                    self.gone(*handle);
                }
                ClientEvent::Confirmed { handle, sent } => return self.confirmed(*handle, *sent),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn locked(number: u8, handle: u64, invoked: u64) -> Event {
        let (handle, invoked) = (HandleId(handle), ms(invoked));
        client(number, ClientEvent::Locked { handle, block: block(0), invoked })
    }

    fn confirmed(handle: u64, sent: u64) -> Event {
        client(1, ClientEvent::Confirmed { handle: HandleId(handle), sent: ms(sent) })
    }

    #[test]
    fn two_holders_are_seen() {
        let events = [(2, locked(1, 1, 1)), (6, locked(2, 2, 5)), (9, confirmed(1, 8))];
        assert!(judge(&mut Locks::default(), &events).is_err());
        let events = [(2, locked(1, 1, 1)), (6, locked(2, 2, 1)), (9, confirmed(1, 5))];
        assert!(judge(&mut Locks::default(), &events).is_ok(), "which came first is unknown");
    }

    #[test]
    fn a_write_into_a_foreign_lock_is_seen() {
        let written =
            Event::Applied { number: 1, by: by(2, 1, 20, 1), op: write_op(100), ok: true };
        let events =
            [(1, opened(2, 2, 20, None)), (2, locked(1, 1, 1)), (5, written), (9, confirmed(1, 8))];
        assert!(judge(&mut Locks::default(), &events).is_err());
    }
}
