//! The end of a node's life, by proof or in order: one entry moves everything that it served.

use super::closing::Survivors;
use super::settling::in_order;
use super::*;
use crate::command::FenceProof;
use crate::state::{Binding, NodeEnd, NodeStatus};

impl Step<'_> {
    /// Ends a life: its opens wait for their clients from now on or are closed, its sessions and
    /// waiting requests are gone, its intents and duties have another owner.
    pub(super) fn end_life(&mut self, life: NodeLife, end: NodeEnd) {
        let Some(record) = self.state.nodes.get_mut(&life.node) else { return };
        if record.incarnation != life.incarnation || record.has_ended() {
            return;
        }
        record.status = NodeStatus::Ended(end);
        self.state.windows.remove(&life);
        self.drop_waits_of(life);
        let opens = in_order(self.state.node_opens(life).collect());
        let (_, duties) = self.detach_or_close(opens, Survivors::Reclaimable);
        self.forget_sessions(&self.state.node_sessions(life).collect());
        for duty in duties {
            self.hand_over(duty);
        }
        self.inherit();
        self.effect(Effect::NodeEnded { life });
    }

    /// No deadline of an open that waits for its client is nearer than its whole time-out: the
    /// cluster may have been down, and its clients could not come.
    pub(super) fn push_deadlines(&mut self) {
        let absent: Vec<_> = self
            .state
            .opens()
            .filter(|(_, open)| open.is_disconnected())
            .map(|(_, open)| (open.id, self.deadline(open.durability)))
            .collect();
        for (id, whole) in absent {
            if let Some(Binding::Disconnected { deadline }) =
                self.state.open(id).map(|open| open.binding)
            {
                self.bind_open(id, Binding::Disconnected { deadline: deadline.max(whole) });
            }
        }
    }
}

/// True if the proof shows that the incarnation can touch no storage any more.
pub(super) fn proves(proof: &FenceProof) -> bool {
    match proof {
        FenceProof::ProcessEnded { lock_dropped, .. } => *lock_dropped,
        FenceProof::Command { exit_status } => *exit_status == 0,
        FenceProof::Rejoined | FenceProof::HostRebooted => true,
    }
}
