//! A lease's epoch never goes back, on whatever node: a client ignores what is older than what it
//! knows.

use std::collections::BTreeMap;

use holdfast_proto::types::LeaseKey;

use super::Checker;
use crate::event::{At, ClientEvent, Event};

#[derive(Default)]
pub struct Epochs {
    seen: BTreeMap<LeaseKey, u16>,
}

impl Checker for Epochs {
    fn name(&self) -> &'static str {
        "epochs"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        let Event::Client { event, .. } = event else { return Ok(()) };
        let (key, epoch) = match event {
            ClientEvent::LeaseSeen { key, epoch, .. }
            | ClientEvent::BreakReceived { key, epoch, .. } => (key, *epoch),
            ClientEvent::LeaseGone { key } => {
                self.seen.remove(key);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let seen = self.seen.entry(*key).or_insert(epoch);
        if epoch < *seen {
            return Err(format!("the lease {key} is told with epoch {epoch} after {seen}"));
        }
        *seen = epoch;
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
    }
}
