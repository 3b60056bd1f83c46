//! A suspected node was heard of again before it was fenced.

use super::*;
use crate::state::NodeStatus;

impl Step<'_> {
    pub(super) fn clear_suspicion(&mut self, life: NodeLife) -> Verdict {
        if !self.state.is_current(life) {
            return Err(Refusal::NodeGone);
        }
        if let Some(record) = self.state.nodes.get_mut(&life.node) {
            record.status = NodeStatus::Live;
        }
        Ok(Outcome::Done)
    }
}
