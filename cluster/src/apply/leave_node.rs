//! A node ends its life in order: it has sealed its gate and drained.

use super::*;
use crate::state::NodeEnd;

impl Step<'_> {
    pub(super) fn leave_node(&mut self, life: NodeLife) -> Verdict {
        if life != self.submitter() {
            return Err(Refusal::InvalidParameter);
        }
        self.end_life(life, NodeEnd::Left);
        Ok(Outcome::Done)
    }
}
