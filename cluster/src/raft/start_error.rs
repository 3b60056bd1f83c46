//! Why a node does not come up, in words that say what to do.

use std::net::SocketAddr;

use holdfast_proto::types::NodeId;

use super::folder::FolderError;
use super::network::AddressRefused;
use crate::outcome::Refusal;
use crate::wal::WalError;

/// Why a node does not come up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("this folder is node {folder}'s, not node {configured}'s")]
    OtherNode { folder: NodeId, configured: NodeId },
    #[error(
        "the folder belongs to cluster {0}, but its log is gone; a node that forgot its votes must \
         not take part again"
    )]
    LogMissing(holdfast_proto::types::Guid),
    #[error(
        "the log begins behind entry {purged}, but the saved snapshot ends with {covered}: what lies \
         between is lost with the snapshot that held it. Check the disk and replace this node: it \
         comes back with an empty folder and under a new id"
    )]
    SnapshotMissing { purged: u64, covered: u64 },
    #[error(transparent)]
    Address(#[from] AddressRefused),
    #[error("node {0} is not among the members that its folder names")]
    NotAMember(NodeId),
    #[error("unusable timers: {0}")]
    Timers(#[from] openraft::ConfigError),
    #[error("the snapshot cannot be read: {0}")]
    Storage(#[from] std::io::Error),
    #[error("the log cannot be opened: {0}")]
    Log(#[from] WalError),
    #[error("cannot serve the other nodes on {0}: {1}")]
    Serve(SocketAddr, String),
    #[error("Raft does not run: {0}")]
    Raft(String),
    #[error("the cluster turns this node away: {0}")]
    TurnedAway(String),
    #[error("the cluster refuses the join: {0:?}")]
    JoinRefused(Refusal),
    #[error("shut down before the join was through")]
    Closed,
}
