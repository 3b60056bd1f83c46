//! A CREATE takes effect once, however often and through however many nodes it is replayed: a name
//! that only one client ever creates is created by it and never found taken, and the storage gives
//! it out once.

use std::collections::BTreeMap;

use super::Checker;
use crate::event::{At, ClientEvent, Event};

#[derive(Default)]
pub struct CreateOnce {
    /// How often each name was put in place.
    named: BTreeMap<String, u32>,
}

impl Checker for CreateOnce {
    fn name(&self) -> &'static str {
        "create once"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        match event {
            Event::Client { client, event: ClientEvent::NotCreated { handle, file, answer } } => {
                Err(format!(
                    "{handle:?} of {client:?} was to create {file}, which nobody else uses, and got \
                 {answer}"
                ))
            }
            Event::Applied {
                op: crate::event::StorageOp::Named { name, .. }, ok: true, ..
            } => {
                let times = self.named.entry(name.clone()).or_default();
                *times += 1;
                match *times {
                    1 => Ok(()),
                    times => Err(format!("{name} was put in place {times} times")),
                }
            }
            // A name that was not stable yet may be gone, and has to be made again.
            Event::StoragePowerCut => {
                self.named.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::event::{HandleId, StorageOp};

    #[test]
    fn a_collision_with_oneself_is_seen() {
        let answer = "OBJECT_NAME_COLLISION".to_owned();
        let file = "new-1".to_owned();
        let event = client(1, ClientEvent::NotCreated { handle: HandleId(1), file, answer });
        assert!(judge(&mut CreateOnce::default(), &[(1, event)]).is_err());
    }

    #[test]
    fn a_second_file_of_the_name_is_seen() {
        let op = StorageOp::Named { file: None, name: "a".to_owned() };
        let event = Event::Applied { number: 1, by: by(1, 1, 1, 1), op, ok: true };
        assert!(judge(&mut CreateOnce::default(), &[(1, event.clone()), (2, event)]).is_err());
    }
}
