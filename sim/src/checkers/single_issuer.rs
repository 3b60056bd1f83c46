//! One issuer: once the storage has applied an operation of an open in one generation, none of an
//! earlier generation of it is applied any more. Catches takeovers before the fence, and writes
//! that were in flight when their open moved.

use std::collections::BTreeMap;

use holdfast_proto::types::OpenId;

use super::Checker;
use crate::event::{At, Event};

#[derive(Default)]
pub struct SingleIssuer {
    newest: BTreeMap<OpenId, u64>,
}

impl Checker for SingleIssuer {
    fn name(&self) -> &'static str {
        "single issuer"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        let Event::Applied { number, by, op, .. } = event else { return Ok(()) };
        let Some((open, generation)) = by.open else { return Ok(()) };
        let newest = self.newest.entry(open).or_insert(generation);
        if generation < *newest {
            return Err(format!(
                "operation {number} of {by:?} ({op:?}) was applied after one of generation {newest}"
            ));
        }
        *newest = generation;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn applied(node: u64, generation: u64) -> Event {
        Event::Applied { number: 1, by: by(node, 1, 5, generation), op: write_op(0), ok: true }
    }

    #[test]
    fn a_late_operation_of_an_older_generation_is_seen() {
        let mut checker = SingleIssuer::default();
        let events = [(1, applied(1, 10)), (2, applied(2, 20)), (3, applied(1, 10))];
        assert!(judge(&mut checker, &events).is_err());
    }
}
