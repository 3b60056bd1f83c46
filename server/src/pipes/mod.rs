//! Named pipes of IPC$ and the services behind them.

use holdfast_proto::types::OpenId;

/// An open of a pipe. Never durable; dies with its session.
#[derive(Debug)]
pub struct PipeOpen {
    /// FileId.Volatile.
    pub volatile: u64,
    /// FileId.Persistent: pipes are not in the cluster's state, so it says nothing.
    pub persistent: OpenId,
    /// The tree connect to IPC$.
    pub tree: u32,
}
