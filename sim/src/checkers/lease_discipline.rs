//! No node hands the storage a change of data while its node lease does not hold, unless it was
//! frozen in the very gap between its check and the act: there nothing but the fence helps.

use super::Checker;
use crate::event::{At, Event};

pub struct LeaseDiscipline;

impl Checker for LeaseDiscipline {
    fn name(&self) -> &'static str {
        "lease discipline"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        match event {
            Event::Submitted { number, by, op, lease_held: false, excused: false }
                if op.changes_data() && by.open.is_some() =>
            {
                Err(format!("operation {number} of {by:?} ({op:?}) was sent without a node lease"))
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
    fn a_change_without_a_lease_is_seen() {
        let submitted = |lease_held, excused| Event::Submitted {
            number: 1,
            by: by(1, 1, 1, 1),
            op: write_op(0),
            lease_held,
            excused,
        };
        let events = [(1, submitted(true, false)), (2, submitted(false, true))];
        assert!(judge(&mut LeaseDiscipline, &events).is_ok());
        assert!(judge(&mut LeaseDiscipline, &[(3, submitted(false, false))]).is_err());
    }
}
