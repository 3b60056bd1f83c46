//! Each block is a register. A read returns what some write put there, and never something that an
//! acknowledged write had replaced before the read began. So acknowledged writes survive whatever
//! happens to nodes, writes of the dead never come back, and what is cached under a READ lease is
//! never older than an acknowledged foreign write whose break has been processed.
//!
//! A write that was not acknowledged may take effect, also more than once, until it is settled.

use std::collections::BTreeMap;

use super::Checker;
use crate::event::{At, Block, ClientEvent, Event, OpNumber, Stamp, WriteEnd};

struct Write {
    stamp: Stamp,
    invoked: At,
    acknowledged: Option<At>,
    /// By then it took effect, or it never will.
    settled: Option<At>,
    refused: bool,
}

#[derive(Default)]
pub struct Registers {
    writes: BTreeMap<Block, Vec<Write>>,
    under_way: BTreeMap<OpNumber, (Block, Stamp)>,
}

impl Registers {
    fn end(&mut self, op: OpNumber, at: At, end: WriteEnd) {
        let Some((block, stamp)) = self.under_way.remove(&op) else { return };
        let writes = self.writes.entry(block).or_default();
        let Some(write) = writes.iter_mut().find(|write| write.stamp == stamp) else { return };
        match end {
            WriteEnd::Acknowledged => write.acknowledged = Some(at),
            WriteEnd::Refused => write.refused = true,
            WriteEnd::Settled => {}
        }
        write.settled = Some(write.settled.map_or(at, |earlier| earlier.min(at)));
    }

    fn read(&mut self, block: &Block, stamp: Stamp, invoked: At) -> Result<(), String> {
        let writes = self.writes.entry(block.clone()).or_default();
        // When the value that was read was in place at the latest.
        let in_place = if stamp == Stamp(0) {
            Some(At::ZERO)
        } else {
            let Some(write) = writes.iter().find(|write| write.stamp == stamp) else {
                return Err(format!("{block:?} held {stamp:?}, which nobody wrote"));
            };
            if write.refused {
                return Err(format!("{block:?} held {stamp:?}, a write that was refused"));
            }
            // Seen is not settled: until it is answered, its client may send it again.
            write.settled
        };
        let Some(in_place) = in_place else { return Ok(()) };
        let newer = writes.iter().find(|write| {
            write.invoked > in_place && write.acknowledged.is_some_and(|acked| acked < invoked)
        });
        match newer {
            Some(newer) => Err(format!(
                "{block:?} held {stamp:?}, in place at {in_place:?}, although {:?} was sent at {:?} \
                 and acknowledged at {:?}, before the read of {invoked:?}",
                newer.stamp,
                newer.invoked,
                newer.acknowledged.unwrap_or_default()
            )),
            None => Ok(()),
        }
    }
}

impl Checker for Registers {
    fn name(&self) -> &'static str {
        "registers"
    }

    fn observe(&mut self, at: At, event: &Event) -> Result<(), String> {
        let Event::Client { event, .. } = event else { return Ok(()) };
        match event {
            ClientEvent::WriteInvoked { op, block, stamp, .. } => {
                self.under_way.insert(*op, (block.clone(), *stamp));
                self.writes.entry(block.clone()).or_default().push(Write {
                    stamp: *stamp,
                    invoked: at,
                    acknowledged: None,
                    settled: None,
                    refused: false,
                });
                Ok(())
            }
            ClientEvent::WriteEnded { op, end } => {
                self.end(*op, at, *end);
                Ok(())
            }
            ClientEvent::ReadReturned { block, stamp, invoked, .. } => {
                self.read(block, *stamp, *invoked)
            }
            ClientEvent::TornBlock { block } => {
                Err(format!("{block:?} held parts of different writes"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_lost_write_is_seen() {
        let events = [(1, write_invoked(1, 1, 11)), (2, write_ended(1, WriteEnd::Acknowledged))];
        let mut checker = Registers::default();
        assert!(judge(&mut checker, &events).is_ok());
        assert!(judge(&mut checker, &[(4, read(1, 11, 3))]).is_ok());
        assert!(judge(&mut checker, &[(5, read(1, 0, 1))]).is_ok(), "concurrent");
        assert!(judge(&mut checker, &[(5, read(1, 0, 3))]).is_err());
    }

    #[test]
    fn an_unknown_write_may_come_late_until_it_is_settled() {
        let mut checker = Registers::default();
        let events = [
            (1, write_invoked(1, 1, 11)),
            (2, write_invoked(2, 1, 12)),
            (3, write_ended(2, WriteEnd::Acknowledged)),
            (5, read(2, 11, 4)),
        ];
        assert!(judge(&mut checker, &events).is_ok());
        let mut checker = Registers::default();
        let events = [
            (1, write_invoked(1, 1, 11)),
            (2, write_ended(1, WriteEnd::Settled)),
            (3, write_invoked(2, 1, 12)),
            (4, write_ended(2, WriteEnd::Acknowledged)),
            (6, read(2, 11, 5)),
        ];
        assert!(judge(&mut checker, &events).is_err());
    }

    #[test]
    fn values_from_nowhere_are_seen() {
        assert!(judge(&mut Registers::default(), &[(1, read(1, 9, 0))]).is_err());
        let mut checker = Registers::default();
        let events = [
            (1, write_invoked(1, 1, 11)),
            (2, write_ended(1, WriteEnd::Refused)),
            (4, read(2, 11, 3)),
        ];
        assert!(judge(&mut checker, &events).is_err());
    }
}
