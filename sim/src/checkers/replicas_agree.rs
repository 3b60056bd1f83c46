//! What is committed stays: at each index every node applies the same entry, in whatever
//! incarnation, and comes to the same state; and that state holds its own invariants.

use std::collections::BTreeMap;

use holdfast_proto::types::NodeId;

use super::Checker;
use crate::event::{At, Event};

struct Agreed {
    first: NodeId,
    term: u64,
    content: u64,
    state: u64,
}

#[derive(Default)]
pub struct ReplicasAgree {
    agreed: BTreeMap<u64, Agreed>,
}

impl Checker for ReplicasAgree {
    fn name(&self) -> &'static str {
        "replicas agree"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        let Event::EntryApplied { node, index, term, content, state, broken } = event else {
            return Ok(());
        };
        if let Some(broken) = broken {
            return Err(format!("after entry {index}, on {node}: {broken}"));
        }
        let agreed = self.agreed.entry(*index).or_insert(Agreed {
            first: *node,
            term: *term,
            content: *content,
            state: *state,
        });
        if (agreed.term, agreed.content) != (*term, *content) {
            return Err(format!(
                "entry {index} was of term {} on {} and is another, of term {term}, on {node}",
                agreed.term, agreed.first
            ));
        }
        if agreed.state != *state {
            return Err(format!(
                "after entry {index} the states of {} and {node} differ",
                agreed.first
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn applied(node: u64, index: u64, term: u64, content: u64, state: u64) -> Event {
        Event::EntryApplied { node: NodeId(node), index, term, content, state, broken: None }
    }

    #[test]
    fn a_changed_entry_and_a_differing_state_are_seen() {
        let mut checker = ReplicasAgree::default();
        let events = [(1, applied(1, 5, 1, 7, 8)), (2, applied(2, 5, 1, 7, 8))];
        assert!(judge(&mut checker, &events).is_ok());
        assert!(judge(&mut checker, &[(3, applied(1, 5, 2, 7, 8))]).is_err());
        assert!(judge(&mut checker, &[(3, applied(1, 5, 1, 9, 8))]).is_err());
        assert!(judge(&mut checker, &[(3, applied(3, 5, 1, 7, 9))]).is_err());
    }

    #[test]
    fn a_broken_invariant_is_seen() {
        let mut checker = ReplicasAgree::default();
        let mut event = applied(1, 1, 1, 1, 1);
        let Event::EntryApplied { broken, .. } = &mut event else { unreachable!() };
        *broken = Some("two leases cache writes".to_owned());
        assert!(judge(&mut checker, &[(1, event)]).is_err());
    }
}
