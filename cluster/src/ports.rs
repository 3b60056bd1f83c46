//! The seams through which time, randomness and fencing reach a node. The simulator has its own
//! of each.

use std::time::Duration;

use async_trait::async_trait;

use crate::command::{FenceProof, NodeIdentity, NodeLife};

/// A node's clocks. Neither decides a fact that is shared: replicated time comes from the log.
pub trait Clock: Send + Sync {
    /// Time since the host booted, suspension included. What node leases are counted on.
    fn boot(&self) -> Duration;
    /// Wall-clock time since 1970 UTC: file times and logs only.
    fn wall(&self) -> Duration;
}

/// Random bytes for identifiers, challenges and nonces.
pub trait Random: Send + Sync {
    /// Fills `out`; a source that fails ends the process.
    fn fill(&self, out: &mut [u8]);

    /// Eight of them.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Why no proof could be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FenceError {
    /// The fencer has no way to reach that incarnation (another host, no command configured).
    #[error("this node cannot fence {0:?}: {1}")]
    NotMine(NodeLife, String),
    /// It tried, and cannot tell that the incarnation has ended.
    #[error("fencing of {0:?} brought no proof: {1}")]
    NoProof(NodeLife, String),
}

/// Brings the proof that an incarnation can touch no storage any more.
#[async_trait]
pub trait Fencer: Send + Sync {
    /// Called at the incarnation's join: the place to open a pidfd, while the pid cannot have
    /// been given to another process.
    fn prepare(&self, life: NodeLife, identity: &NodeIdentity);
    /// Resolves when this host sees the incarnation end by itself; never for one it cannot see.
    async fn ended(&self, life: NodeLife, identity: &NodeIdentity);
    /// Ends the incarnation and returns the proof. May be called again after a failure.
    async fn fence(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceProof, FenceError>;
}
