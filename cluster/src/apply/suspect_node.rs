//! A node is no longer heard of: a fencer is named, and nothing moves yet.

use holdfast_proto::types::NodeId;

use super::*;
use crate::state::NodeStatus;

impl Step<'_> {
    pub(super) fn suspect_node(&mut self, life: NodeLife, fencer: NodeId) -> Verdict {
        if !self.state.is_current(life) {
            return Err(Refusal::NodeGone);
        }
        self.state.node(fencer).ok_or(Refusal::NotFound)?;
        if let Some(record) = self.state.nodes.get_mut(&life.node) {
            record.status = NodeStatus::Suspected { fencer };
        }
        self.effect(Effect::Fence { fencer, life });
        Ok(Outcome::Done)
    }
}
