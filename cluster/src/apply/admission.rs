//! Who may submit what, and which submits were carried out before.

use std::sync::Arc;

use super::*;
use crate::state::{Known, limits};

/// What becomes of an entry.
pub(super) enum Admission {
    /// It is carried out.
    Carry,
    /// It was, and this came of it.
    Repeat(Arc<Outcome>),
    Refuse(Refusal),
}

impl Step<'_> {
    pub(super) fn admit(&self, command: &Command) -> Admission {
        match command {
            // Time passes whoever says so, and carrying a tick out twice changes nothing.
            Command::Tick => return Admission::Carry,
            // A join is known by its boot's number (`join_node`).
            Command::JoinNode { node, .. } if *node == self.submit.node => return Admission::Carry,
            Command::JoinNode { .. } => return Admission::Refuse(Refusal::InvalidParameter),
            _ => {}
        }
        if self.submit.incarnation.0 == 0 {
            return match is_administrative(command) {
                true => Admission::Carry,
                false => Admission::Refuse(Refusal::NodeGone),
            };
        }
        if !self.state.is_current(self.submitter()) {
            return Admission::Refuse(Refusal::NodeGone);
        }
        let Some(window) = self.state.windows.get(&self.submitter()) else {
            return Admission::Carry;
        };
        match window.look_up(self.submit.sequence) {
            Known::New => Admission::Carry,
            Known::Repeat(outcome) => Admission::Repeat(outcome),
            Known::Forgotten => Admission::Refuse(Refusal::InsufficientResources),
        }
    }

    /// Keeps the outcome for a repeat of the same submit.
    pub(super) fn remember(&mut self, command: &Command, outcome: &Outcome) {
        let life = self.submitter();
        let repeatable = matches!(command, Command::Tick | Command::JoinNode { .. });
        if repeatable || !self.state.is_current(life) {
            return;
        }
        debug_assert!(self.state.windows.len() <= limits::NODES);
        let window = self.state.windows.entry(life).or_default();
        window.record(self.submit.sequence, outcome.clone());
    }
}

/// Commands that name no open and no session: an administrator's, and the leader's, may come from
/// a node before its join.
fn is_administrative(command: &Command) -> bool {
    matches!(
        command,
        Command::FoundCluster { .. }
            | Command::SuspectNode { .. }
            | Command::ClearSuspicion { .. }
            | Command::FenceNode { .. }
            | Command::PutShare { .. }
            | Command::RemoveShare { .. }
            | Command::PutUser { .. }
            | Command::RemoveUser { .. }
            | Command::SetEncryption { .. }
            | Command::JudgeVolume { .. }
    )
}
