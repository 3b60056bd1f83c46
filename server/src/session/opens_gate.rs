//! What ends the opens of a session in order. The gate in front of the storage implements it.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_cluster::command::OpenRef;
use holdfast_cluster::outcome::Duty;
use holdfast_proto::types::OpenId;

use super::LocalOpen;

/// Seals opens and drains their I/O before the log hears that their rights ended.
#[async_trait]
pub trait OpensGate: Send + Sync {
    /// No storage operation of these opens begins any more, and those that had begun have ended
    /// when this returns. Repeats are harmless.
    async fn seal(&self, opens: &[Arc<LocalOpen>]);

    /// Returns true once an answer about this open may be handed to the kernel, false if the open
    /// is this node's no more, so that nothing may be said about it. The writer asks last; while
    /// the node lease is not renewed, this waits.
    async fn may_answer(&self, open: OpenRef) -> bool;

    /// The log holds their end: descriptors go, waiting requests are refused, and the steps on
    /// the storage that came of it are carried out. `detached` are those that stay for their
    /// client in the cluster's state.
    async fn ended(&self, opens: Vec<Arc<LocalOpen>>, detached: &[OpenId], duties: Vec<Duty>);
}
