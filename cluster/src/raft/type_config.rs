//! The types that Raft is instantiated with.
//!
//! Raft sees a command as opaque bytes: what they mean is the state machine's business, and their
//! encoding is versioned there. Outcomes do not travel through Raft at all; every node learns its
//! own from its local apply, so the response carries nothing.
//!
//! Leader ids follow the Raft paper: at most one leader in a term, so a log entry is named by
//! (term, index).

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::runtime::ClusterRuntime;

/// A node's number, unique in the cluster and never used again for another node.
pub type NodeId = u64;

openraft::declare_raft_types!(
    /// What Raft is instantiated with.
    pub TypeConfig:
        D = CommandBytes,
        R = Applied,
        NodeId = NodeId,
        Node = PeerNode,
        Term = u64,
        LeaderId = openraft::impls::leader_id_std::LeaderId<Self::Term, Self::NodeId>,
        Vote = openraft::impls::Vote<Self::LeaderId>,
        Payload = openraft::EntryPayload<Self::D, Self::NodeId, Self::Node>,
        Entry = openraft::Entry<<Self::LeaderId as openraft::vote::RaftLeaderId>::Committed, Self::Payload>,
        AsyncRuntime = ClusterRuntime,
);

/// (term, index) of an entry.
pub type LogId = openraft::alias::LogIdOf<TypeConfig>;
/// The term of a leader that a quorum chose, as it stands in a log id.
pub type CommittedLeaderId = openraft::alias::CommittedLeaderIdOf<TypeConfig>;
/// One entry of the replicated log.
pub type Entry = openraft::alias::EntryOf<TypeConfig>;
/// A vote given or a leadership won.
pub type Vote = openraft::alias::VoteOf<TypeConfig>;
/// Who votes and who learns.
pub type Membership = openraft::Membership<NodeId, PeerNode>;
/// A membership with the id of the entry that holds it.
pub type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;

/// Where a member of the cluster is reached by the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerNode {
    /// `host:port` of its node-to-node service.
    pub addr: String,
}

impl fmt::Display for PeerNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.addr)
    }
}

/// An encoded command with its envelope, as it stands in the log. Cloning shares the bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CommandBytes(pub Bytes);

impl fmt::Debug for CommandBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandBytes({} bytes)", self.0.len())
    }
}

impl fmt::Display for CommandBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command of {} bytes", self.0.len())
    }
}

// openraft's own metrics and snapshots want serde on what they carry. What goes to disk or over the
// network is encoded with protobuf, not through these.
impl Serialize for CommandBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CommandBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(|bytes| CommandBytes(bytes.into()))
    }
}

/// That an entry was applied. Outcomes reach the submitter by the local apply path instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied;
