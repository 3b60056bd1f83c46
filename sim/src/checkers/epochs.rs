//! A lease's epoch never goes back, on whatever node: a client ignores what is older than what it
//! knows. One step back is in order: until a break is acknowledged, the answer to a reconnect tells
//! the state before it, and the notification comes again.

use std::collections::BTreeMap;

use holdfast_proto::types::LeaseKey;

use super::Checker;
use crate::event::{At, ClientEvent, Event};

#[derive(Default)]
pub struct Epochs {
    /// The newest epoch, and whether a break told it.
    seen: BTreeMap<LeaseKey, (u16, bool)>,
}

impl Checker for Epochs {
    fn name(&self) -> &'static str {
        "epochs"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        let Event::Client { event, .. } = event else { return Ok(()) };
        let (key, epoch, broken) = match event {
            ClientEvent::LeaseSeen { key, epoch, .. } => (key, *epoch, false),
            ClientEvent::BreakReceived { key, epoch, .. } => (key, *epoch, true),
            ClientEvent::LeaseGone { key } => {
                self.seen.remove(key);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let (seen, by_break) = *self.seen.entry(*key).or_insert((epoch, broken));
        if !broken && by_break && epoch + 1 == seen {
            return Ok(());
        }
        if epoch < seen {
            return Err(format!("the lease {key} is told with epoch {epoch} after {seen}"));
        }
        self.seen.insert(*key, (epoch, broken));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use holdfast_proto::types::{Guid, LeaseState};

    #[test]
    fn an_epoch_that_goes_back_is_seen() {
        let seen = |epoch| {
            let (key, state) = (Guid([1; 16]), LeaseState::RH);
            client(1, ClientEvent::LeaseSeen { key, state, epoch })
        };
        assert!(judge(&mut Epochs::default(), &[(1, seen(2)), (2, seen(3))]).is_ok());
        assert!(judge(&mut Epochs::default(), &[(1, seen(3)), (2, seen(2))]).is_err());
        let broken = |epoch| {
            let (key, from, to) = (Guid([1; 16]), LeaseState::RH, LeaseState::NONE);
            client(1, ClientEvent::BreakReceived { key, from, to, epoch })
        };
        let events = [(1, seen(2)), (2, broken(3)), (3, seen(2)), (4, broken(3)), (5, seen(3))];
        assert!(judge(&mut Epochs::default(), &events).is_ok());
        assert!(judge(&mut Epochs::default(), &[(1, broken(4)), (2, seen(2))]).is_err());
    }
}
