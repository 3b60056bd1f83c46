//! The proof is there: what the incarnation owned may be taken over.

use super::ending_node::proves;
use super::*;
use crate::command::FenceProof;
use crate::state::NodeEnd;

impl Step<'_> {
    pub(super) fn fence_node(&mut self, life: NodeLife, proof: &FenceProof) -> Verdict {
        if self.state.has_ended(life) {
            return Ok(Outcome::Done);
        }
        if !self.state.is_current(life) {
            return Err(Refusal::NotFound);
        }
        if !proves(proof) {
            return Err(Refusal::NodeLives);
        }
        self.end_life(life, NodeEnd::Fenced(proof.clone()));
        Ok(Outcome::Done)
    }
}
