//! Each block is a register. A read returns what some write put there, whole, and never something
//! that an acknowledged write had replaced before the read began. So acknowledged writes survive
//! whatever happens to nodes, writes of the dead never come back, and what is cached under a READ
//! lease is never older than an acknowledged foreign write whose break has been processed.
//!
//! A write that was not acknowledged may take effect, also more than once, until it is settled:
//! its client sends it again.

use std::collections::BTreeMap;

use super::super::history::{At, Block, ClientId, Event, Stamp, WriteEnd};
use super::{Checker, Kind, Violation};

struct Write {
    stamp: Stamp,
    invoked: At,
    acknowledged: Option<At>,
    /// By then it took effect, or it never will.
    settled: Option<At>,
    refused: bool,
}

#[derive(Default)]
pub struct Registers(BTreeMap<Block, Vec<Write>>);

impl Registers {
    fn end(&mut self, at: At, block: &Block, stamp: Stamp, end: WriteEnd) {
        let writes = self.0.entry(block.clone()).or_default();
        let Some(write) = writes.iter_mut().find(|write| write.stamp == stamp) else { return };
        match end {
            WriteEnd::Acknowledged => write.acknowledged = Some(at),
            WriteEnd::Refused => write.refused = true,
            WriteEnd::Settled => {}
        }
        write.settled = Some(at);
    }

    fn read(&mut self, block: &Block, stamp: Stamp, invoked: At) -> Result<(), String> {
        let writes = self.0.entry(block.clone()).or_default();
        // When the value that was read was in place at the latest.
        let in_place = if stamp == Stamp(0) {
            At::ZERO
        } else {
            let Some(write) = writes.iter().find(|write| write.stamp == stamp) else {
                return Err(format!("{block:?} held {stamp:?}, which nobody wrote"));
            };
            if write.refused {
                return Err(format!("{block:?} held {stamp:?}, a write that was refused"));
            }
            // Seen is not settled: until it is answered, its client may send it again.
            let Some(settled) = write.settled else { return Ok(()) };
            settled
        };
        let newer = writes.iter().find(|write| {
            write.invoked > in_place && write.acknowledged.is_some_and(|acked| acked < invoked)
        });
        match newer {
            Some(newer) => Err(format!(
                "{block:?} held {stamp:?}, in place at {in_place:?}, although {:?} was sent at \
                 {:?} and acknowledged at {:?}, before the read of {invoked:?}",
                newer.stamp,
                newer.invoked,
                newer.acknowledged.unwrap_or_default()
            )),
            None => Ok(()),
        }
    }

    /// While a block is being written, it may be seen half written; at rest it may not.
    fn torn(&self, at: At, block: &Block, invoked: At, what: &str) -> Result<(), String> {
        let under_way = |write: &Write| {
            write.invoked <= at && write.settled.is_none_or(|settled| settled >= invoked)
        };
        match self.0.get(block).is_some_and(|writes| writes.iter().any(under_way)) {
            true => Ok(()),
            false => Err(format!("{block:?}, which nobody was writing, held {what}")),
        }
    }
}

impl Checker for Registers {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation> {
        let (kind, judged) = match event {
            Event::WriteInvoked { block, stamp, .. } => {
                self.0.entry(block.clone()).or_default().push(Write {
                    stamp: *stamp,
                    invoked: at,
                    acknowledged: None,
                    settled: None,
                    refused: false,
                });
                return None;
            }
            Event::WriteEnded { block, stamp, end, .. } => {
                self.end(at, block, *stamp, *end);
                return None;
            }
            Event::ReadReturned { block, stamp, invoked, cached } => {
                let kind = if *cached { Kind::StaleCache } else { Kind::LostWrite };
                (kind, self.read(block, *stamp, *invoked))
            }
            Event::TornBlock { block, invoked, what } => {
                (Kind::TornWrite, self.torn(at, block, *invoked, what))
            }
            _ => return None,
        };
        let wrong = judged.err()?;
        Some(Violation::new(kind, format!("at {at:?} client {}: {wrong}", client.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_lost_write_is_seen() {
        let mut checker = Registers::default();
        let events = [(1, invoked(1, 11)), (2, ended(1, 11, WriteEnd::Acknowledged))];
        assert_eq!(first(&mut checker, &events), None);
        assert_eq!(first(&mut checker, &[(4, read(11, 3)), (5, read(0, 1))]), None, "concurrent");
        let lost = first(&mut checker, &[(5, read(0, 3))]).expect("seen");
        assert_eq!(lost.kind, Kind::LostWrite);
    }

    #[test]
    fn an_unknown_write_may_come_late_until_it_is_settled() {
        let acknowledged =
            |at| [(at, invoked(2, 12)), (at + 1, ended(2, 12, WriteEnd::Acknowledged))];
        let mut checker = Registers::default();
        assert_eq!(first(&mut checker, &[(1, invoked(1, 11))]), None);
        assert_eq!(first(&mut checker, &acknowledged(2)), None);
        assert_eq!(first(&mut checker, &[(5, read(11, 4))]), None);
        let mut checker = Registers::default();
        let settled = [(1, invoked(1, 11)), (2, ended(1, 11, WriteEnd::Settled))];
        assert_eq!(first(&mut checker, &settled), None);
        assert_eq!(first(&mut checker, &acknowledged(3)), None);
        assert!(first(&mut checker, &[(6, read(11, 5))]).is_some());
    }

    #[test]
    fn values_from_nowhere_are_seen() {
        assert!(first(&mut Registers::default(), &[(1, read(9, 0))]).is_some());
        let refused = [(1, invoked(1, 11)), (2, ended(1, 11, WriteEnd::Refused)), (4, read(11, 3))];
        assert!(first(&mut Registers::default(), &refused).is_some());
    }

    #[test]
    fn a_torn_block_is_wrong_at_rest_only() {
        let torn = |invoked| Event::TornBlock {
            block: block(0),
            invoked: ms(invoked),
            what: "two halves".to_owned(),
        };
        let mut checker = Registers::default();
        assert_eq!(first(&mut checker, &[(1, invoked(1, 11)), (4, torn(3))]), None);
        let later = [(5, ended(1, 11, WriteEnd::Acknowledged)), (8, torn(7))];
        let found = first(&mut checker, &later).expect("seen");
        assert_eq!(found.kind, Kind::TornWrite);
    }
}
