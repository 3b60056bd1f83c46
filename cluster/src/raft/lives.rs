//! What the state says about incarnations, in the words that node leases need.

use holdfast_proto::types::NodeId;

use crate::command::{NodeIdentity, NodeLife};
use crate::state::{NodeStatus, State};

/// How an incarnation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Live,
    /// `fencer` is to bring the proof of its end.
    Suspected {
        fencer: NodeId,
    },
    /// It left or was fenced, or its node has begun another life.
    Ended,
}

/// How `life` stands; none if its join is not applied.
pub fn standing(state: &State, life: NodeLife) -> Option<Standing> {
    let record = state.node(life.node)?;
    if life.incarnation > record.incarnation {
        return None;
    }
    if life.incarnation < record.incarnation {
        return Some(Standing::Ended);
    }
    Some(status(&record.status))
}

/// Every node's latest incarnation, in the order of the nodes.
pub fn all(state: &State) -> impl Iterator<Item = (NodeLife, Standing)> + '_ {
    state.nodes().map(|(node, record)| (record.life(node), status(&record.status)))
}

/// Where and how `life` can be fenced, if it is its node's latest.
pub fn identity(state: &State, life: NodeLife) -> Option<&NodeIdentity> {
    let record = state.node(life.node)?;
    (record.incarnation == life.incarnation).then_some(&record.identity)
}

/// Where a node's latest incarnation runs.
pub fn identity_of_node(state: &State, node: NodeId) -> Option<&NodeIdentity> {
    state.node(node).map(|record| &record.identity)
}

/// True once the cluster has its identity.
pub fn is_founded(state: &State) -> bool {
    state.cluster().is_some()
}

fn status(status: &NodeStatus) -> Standing {
    match status {
        NodeStatus::Live => Standing::Live,
        NodeStatus::Suspected { fencer } => Standing::Suspected { fencer: *fencer },
        NodeStatus::Ended(_) => Standing::Ended,
    }
}
