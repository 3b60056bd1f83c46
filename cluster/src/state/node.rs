//! Nodes and their lives.
//!
//! Invariant: a life that ended never comes back; the same node joins under a new incarnation.

use holdfast_proto::types::{Incarnation, NodeId};

use crate::command::{FenceProof, NodeIdentity, NodeLife};

/// A node's latest life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeRecord {
    pub identity: NodeIdentity,
    pub incarnation: Incarnation,
    /// The upper half of the session ids of this life.
    pub session_prefix: u32,
    /// The sequence of the join's submit: a repeat of it is answered, not carried out again.
    pub join_sequence: u64,
    pub status: NodeStatus,
}

/// How a life stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NodeStatus {
    /// It is heard of.
    Live,
    /// It is not; `fencer` is to bring the proof of its end.
    Suspected { fencer: NodeId },
    /// It can touch no storage any more.
    Ended(NodeEnd),
}

/// How a life ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NodeEnd {
    /// With a proof.
    Fenced(FenceProof),
    /// In order: it had sealed its gate and drained.
    Left,
}

impl NodeRecord {
    /// The life that this record is about.
    pub fn life(&self, node: NodeId) -> NodeLife {
        NodeLife { node, incarnation: self.incarnation }
    }

    /// True once its rights may be taken over.
    pub fn has_ended(&self) -> bool {
        matches!(self.status, NodeStatus::Ended(_))
    }
}
