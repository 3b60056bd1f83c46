//! A fence is a proof: after the log says that an incarnation has ended, the storage applies
//! nothing of it.

use std::collections::BTreeSet;

use holdfast_cluster::command::NodeLife;

use super::Checker;
use crate::event::{At, Event};

#[derive(Default)]
pub struct FencedSilence {
    ended: BTreeSet<NodeLife>,
}

impl Checker for FencedSilence {
    fn name(&self) -> &'static str {
        "fenced silence"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        match event {
            Event::LifeEnded { life, .. } => {
                self.ended.insert(*life);
                Ok(())
            }
            Event::Applied { number, by, op, .. } if self.ended.contains(&by.life) => {
                Err(format!("operation {number} of {by:?} ({op:?}) came after its end"))
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
    fn a_zombie_is_seen() {
        let mut checker = FencedSilence::default();
        let ended = Event::LifeEnded { life: life(1, 4), index: 9 };
        let applied =
            |life| Event::Applied { number: 1, by: by(1, life, 5, 1), op: write_op(0), ok: true };
        assert!(judge(&mut checker, &[(1, ended), (2, applied(8))]).is_ok());
        assert!(judge(&mut checker, &[(3, applied(4))]).is_err());
    }
}
