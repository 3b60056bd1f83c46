//! One node's picture of its cluster, for operators.

use std::time::Duration;

use holdfast_cluster::command::FenceProof;
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::state::{NodeEnd, NodeRecord, NodeStatus, State};
use holdfast_proto::types::NodeId;

use super::pb;
use super::pb::fencing::Means;
use super::pb::node::Standing;
use super::service::NodeView;
use crate::fence::{FenceFailure, FenceLog, FenceMeans, FenceRecord};

/// Of a node that waits for a quorum.
pub(super) fn status_before_join(node: NodeId) -> pb::StatusReply {
    pb::StatusReply { node: node.0, ..pb::StatusReply::default() }
}

/// From the local replica: it may lag, and says what it has applied.
pub(super) fn status_of(
    cluster: &dyn Cluster,
    leader: Option<NodeId>,
    view: &dyn NodeView,
    fencings: &FenceLog,
) -> pb::StatusReply {
    let (life, applied, state) = (cluster.life(), cluster.applied(), cluster.state());
    let info = state.cluster();
    pb::StatusReply {
        node: life.node.0,
        incarnation: life.incarnation.0,
        serving: view.is_serving(),
        withdrawn: view.is_withdrawn(),
        leader: leader.map_or(0, |node| node.0),
        applied,
        cluster_id: info.map(|info| info.cluster_id.0.to_vec()).unwrap_or_default(),
        cluster_name: info.map(|info| info.name.clone()).unwrap_or_default(),
        nodes: state.nodes().map(|(id, record)| node_of(&state, id, record)).collect(),
        opens: state.open_count() as u64,
        sessions: state.sessions().count() as u64,
        users: state.users().count() as u64,
        shares: state.shares().count() as u64,
        fencings: fencings.records().iter().map(fencing_of).collect(),
        encryption_required: info.is_some_and(|info| info.encrypt_data),
        fencing_failures: fencings
            .failures()
            .iter()
            // Of the others somebody else has the proof.
            .filter(|failure| !state.has_ended(failure.life))
            .map(failure_of)
            .collect(),
        log_trouble: view.log_trouble().unwrap_or_default(),
        unfit_volumes: state
            .unfit_volumes()
            .iter()
            .map(|unfit| pb::UnfitVolume { volume: unfit.volume.0, why: unfit.why.clone() })
            .collect(),
    }
}

fn node_of(state: &State, id: NodeId, record: &NodeRecord) -> pb::Node {
    let (standing, detail) = match &record.status {
        NodeStatus::Live => (Standing::Live, String::new()),
        NodeStatus::Suspected { fencer } => {
            (Standing::Suspected, format!("node {} is to bring the proof", fencer.0))
        }
        NodeStatus::Ended(NodeEnd::Fenced(proof)) => (Standing::Fenced, proof_of(proof)),
        NodeStatus::Ended(NodeEnd::Left) => (Standing::Left, String::new()),
    };
    let life = record.life(id);
    pb::Node {
        id: id.0,
        name: record.identity.name.clone(),
        incarnation: record.incarnation.0,
        standing: standing.into(),
        detail,
        smb_address: record.identity.smb_address.clone(),
        peer_address: record.identity.peer_address.clone(),
        pid: record.identity.pid,
        opens: state.node_opens(life).count() as u64,
        sessions: state.node_sessions(life).count() as u64,
    }
}

pub(super) fn proof_of(proof: &FenceProof) -> String {
    match proof {
        FenceProof::ProcessEnded { pid, lock_dropped: true } => {
            format!("process {pid} has ended and its lock has dropped")
        }
        FenceProof::ProcessEnded { pid, lock_dropped: false } => format!("process {pid} has ended"),
        FenceProof::Rejoined => "it joined again".to_owned(),
        FenceProof::HostRebooted => "its host has booted since".to_owned(),
        FenceProof::Command { exit_status } => format!("fence command, exit status {exit_status}"),
    }
}

fn fencing_of(record: &FenceRecord) -> pb::Fencing {
    let mut fencing = pb::Fencing {
        node: record.life.node.0,
        incarnation: record.life.incarnation.0,
        pid: record.pid,
        asked_micros: micros(Some(record.asked)),
        ..pb::Fencing::default()
    };
    match &record.means {
        FenceMeans::Process(end) => {
            fencing.killed_micros = micros(end.killed);
            fencing.exited_micros = micros(end.exited);
            fencing.lock_dropped_micros = micros(end.lock_dropped);
        }
        FenceMeans::HostRebooted => fencing.set_means(Means::HostRebooted),
        FenceMeans::Command(proof) => {
            fencing.set_means(Means::Command);
            fencing.command = Some(pb::FenceCommandRun {
                program: proof.program.clone(),
                started_micros: micros(Some(proof.started)),
                ended_micros: micros(Some(proof.ended)),
                exit_status: proof.exit_status,
                attempt: proof.attempt,
            });
        }
    }
    fencing
}

pub(super) fn failure_of(failure: &FenceFailure) -> pb::FencingFailure {
    pb::FencingFailure {
        node: failure.life.node.0,
        incarnation: failure.life.incarnation.0,
        attempts: failure.attempts,
        last_micros: micros(Some(failure.last)),
        why: failure.why.clone(),
    }
}

fn micros(time: Option<Duration>) -> u64 {
    time.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
