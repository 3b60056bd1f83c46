//! What the server knows of the cluster: submit a command, read the local replica, hear effects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_proto::types::NodeId;

use crate::command::{Command, NodeLife, SubmitId};
use crate::outcome::Outcome;
use crate::peer::{PeerReply, PeerRequest, PeerSilent};
use crate::state::State;

/// Why there is no outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubmitError {
    /// No leader, or no quorum, within the time given. The command may still be applied:
    /// unknown is not failed.
    #[error("the cluster gave no answer in time; whether the command was carried out is unknown")]
    Unknown,
    /// This node is fenced, leaving or shutting down: nothing of it counts any more.
    #[error("this node's incarnation has ended")]
    Ended,
}

/// The cluster, as one node sees it.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// This node and its incarnation.
    fn life(&self) -> NodeLife;
    /// The upper half of this incarnation's session ids.
    fn session_prefix(&self) -> u32;
    /// The local replica as of the last entry applied and published. A cheap clone; lags the
    /// leader.
    fn state(&self) -> Arc<State>;
    /// The log index of that entry.
    fn applied(&self) -> u64;
    /// Submits and waits for the local apply. Repeats under the same [`SubmitId`] until an
    /// outcome is known or about 10 s have passed. May return [`Outcome::Waiting`].
    async fn submit(&self, command: Command) -> Result<Outcome, SubmitError>;
    /// Waits until a waiting command of this node is settled. The caller bounds the wait and
    /// submits [`Command::CancelWait`] to end it. Returns at once if it is settled already.
    async fn settled(&self, wait: SubmitId) -> Result<Outcome, SubmitError>;
    /// Returns once the replica has applied the leader's read index: what a refusal that rests
    /// on replicated state must wait for.
    async fn read_index(&self) -> Result<(), SubmitError>;
    /// Returns once the replica has applied and published `index`.
    async fn wait_applied(&self, index: u64);
    /// Asks another node, or this one. One question per stream slot; silent after `timeout`.
    async fn ask(
        &self,
        peer: NodeId,
        request: PeerRequest,
        timeout: Duration,
    ) -> Result<PeerReply, PeerSilent>;
    /// Reports that a node is to be fenced although it renews, because it holds up a barrier or an
    /// administrator says so: the leader suspects it. The report counts for 15 s.
    fn report_stuck(&self, life: NodeLife);
    /// If this node leads, lets another live one lead: an election by time-out would keep everybody
    /// waiting. Returns when another leads, or none of them took it.
    async fn hand_over(&self);
    /// The nodes whose majority decides.
    fn voters(&self) -> Vec<NodeId>;
    /// This node's right to touch the storage.
    fn node_lease(&self) -> &Arc<NodeLease>;
}

/// A node's right to touch the storage, granted by the leader and counted from the moment at
/// which the renewal was *sent*. Read by the gate before and after each storage operation; a
/// watchdog outside the async runtime reads it too.
#[derive(Debug, Default)]
pub struct NodeLease {
    /// End of the right, in nanoseconds of [`crate::ports::Clock::boot`]; 0: none.
    deadline_nanos: AtomicU64,
    /// The incarnation was fenced: no renewal brings the right back.
    fenced: AtomicBool,
    /// The node reaches a quorum's leader. Without it the node does not listen.
    connected: AtomicBool,
}

impl NodeLease {
    /// Extends the right to `deadline` on the boot clock; never shortens it.
    pub fn extend_to(&self, deadline: Duration) {
        self.deadline_nanos.fetch_max(deadline.as_nanos() as u64, Ordering::AcqRel);
    }

    /// True if the right holds at `now` of the boot clock.
    pub fn holds(&self, now: Duration) -> bool {
        !self.fenced.load(Ordering::Acquire)
            && (now.as_nanos() as u64) < self.deadline_nanos.load(Ordering::Acquire)
    }

    /// When the right ends, on the boot clock.
    pub fn deadline(&self) -> Duration {
        Duration::from_nanos(self.deadline_nanos.load(Ordering::Acquire))
    }

    /// The incarnation was fenced.
    pub fn set_fenced(&self) {
        self.fenced.store(true, Ordering::Release);
    }

    /// True once the incarnation is known to be fenced.
    pub fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::Acquire)
    }

    /// Notes whether a quorum's leader is reached.
    pub fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
    }

    /// True if a quorum's leader was reached lately.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }
}
