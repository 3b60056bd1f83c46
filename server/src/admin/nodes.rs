//! What administrators do with nodes: fence one, take one out of service, and put it back.

use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::peer::{PeerReply, PeerRequest};
use holdfast_cluster::state::{NodeEnd, NodeRecord, NodeStatus, State};
use holdfast_proto::types::NodeId;
use tonic::Status;

use super::pb;
use super::status::{failure_of, proof_of};
use crate::fence::FenceLog;

/// How long one question to the node waits. Whoever drains asks again.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// Has the leader suspect the node, whatever speaks for it, and tells how that stands.
pub(super) fn fence(
    cluster: &dyn Cluster,
    fencings: &FenceLog,
    request: &pb::FenceNodeRequest,
) -> Result<pb::FenceNodeReply, Status> {
    let (state, node) = (cluster.state(), NodeId(request.node));
    let record = record_of(&state, node)?;
    if request.incarnation != 0 && request.incarnation != record.incarnation.0 {
        let detail = format!("it joined again as incarnation {}", record.incarnation.0);
        return Ok(pb::FenceNodeReply {
            incarnation: request.incarnation,
            ended: true,
            detail,
            failures: Vec::new(),
        });
    }
    let life = record.life(node);
    let (ended, detail) = match &record.status {
        NodeStatus::Ended(NodeEnd::Fenced(proof)) => (true, proof_of(proof)),
        NodeStatus::Ended(NodeEnd::Left) => (true, "it left in order".to_owned()),
        NodeStatus::Suspected { fencer } => {
            (false, format!("node {} is to bring the proof", fencer.0))
        }
        NodeStatus::Live => (false, "it is about to be suspected".to_owned()),
    };
    if !ended {
        if node == cluster.life().node {
            return Err(Status::failed_precondition(
                "a node does not fence itself: ask another one, by its --config or --node-dir",
            ));
        }
        if !request.force {
            must_leave_a_quorum(&state, &cluster.voters(), node)?;
        }
        cluster.report_stuck(life);
    }
    let failures = fencings.failures();
    let own = failures.iter().filter(|failure| failure.life == life);
    Ok(pb::FenceNodeReply {
        incarnation: life.incarnation.0,
        ended,
        detail,
        failures: own.map(failure_of).collect(),
    })
}

/// Has the node hand its leadership over and stop serving clients, and tells what is left.
pub(super) async fn drain(
    cluster: &dyn Cluster,
    request: &pb::DrainNodeRequest,
) -> Result<pb::DrainNodeReply, Status> {
    let node = NodeId(request.node);
    let state = cluster.state();
    let life = live(&state, node)?;
    if !request.force && live_nodes(&state).all(|other| other == node) {
        return Err(Status::failed_precondition(format!(
            "node {} is the only live node: drained, nobody would serve clients (--force does it)",
            node.0
        )));
    }
    let answer = cluster.ask(node, PeerRequest::Withdraw, ANSWER_WAIT).await;
    let state = cluster.state();
    if !state.is_current(life) {
        return Err(Status::aborted(format!("node {} has ended meanwhile", node.0)));
    }
    let (sessions, opens) = (state.node_sessions(life).count(), state.node_opens(life).count());
    Ok(pb::DrainNodeReply {
        // The replica here may lag behind the node's own.
        drained: answer == Ok(PeerReply::Done) && sessions == 0,
        sessions: sessions as u64,
        opens: opens as u64,
    })
}

/// Has the node serve clients again.
pub(super) async fn resume(cluster: &dyn Cluster, node: NodeId) -> Result<(), Status> {
    record_of(&cluster.state(), node)?;
    match cluster.ask(node, PeerRequest::ServeAgain, ANSWER_WAIT).await {
        Ok(PeerReply::Done) => Ok(()),
        Ok(_) | Err(_) => Err(Status::unavailable(format!("node {} does not answer", node.0))),
    }
}

fn record_of(state: &State, node: NodeId) -> Result<&NodeRecord, Status> {
    state.node(node).ok_or_else(|| {
        let known: Vec<String> = state.nodes().map(|(id, _)| id.0.to_string()).collect();
        Status::not_found(format!(
            "there is no node {}; these have joined: {}",
            node.0,
            known.join(", ")
        ))
    })
}

fn live(state: &State, node: NodeId) -> Result<NodeLife, Status> {
    let record = record_of(state, node)?;
    match record.status {
        NodeStatus::Ended(_) => Err(Status::failed_precondition(format!(
            "node {} does not live: there is nothing to drain",
            node.0
        ))),
        NodeStatus::Live | NodeStatus::Suspected { .. } => Ok(record.life(node)),
    }
}

fn live_nodes(state: &State) -> impl Iterator<Item = NodeId> + '_ {
    let live = |(_, record): &(NodeId, &NodeRecord)| record.status == NodeStatus::Live;
    state.nodes().filter(live).map(|(node, _)| node)
}

/// Without a quorum nothing is decided any more, not even that the node was fenced.
fn must_leave_a_quorum(state: &State, voters: &[NodeId], node: NodeId) -> Result<(), Status> {
    let left = live_nodes(state).filter(|other| *other != node && voters.contains(other)).count();
    let quorum = voters.len() / 2 + 1;
    if left >= quorum {
        return Ok(());
    }
    Err(Status::failed_precondition(format!(
        "without node {}, {left} of {} nodes would be live, and {quorum} are needed to decide          anything: the cluster would stop, and the proof could not be noted (--force tries it)",
        node.0,
        voters.len()
    )))
}

#[cfg(test)]
mod tests {
    use holdfast_cluster::command::{Command, FenceProof};
    use tonic::Code;

    use super::*;
    use crate::testing::LocalCluster;

    fn fence_node(node: u64, force: bool) -> pb::FenceNodeRequest {
        pb::FenceNodeRequest { node, incarnation: 0, force }
    }

    fn refused(cluster: &LocalCluster, request: pb::FenceNodeRequest) -> Code {
        fence(cluster, &FenceLog::default(), &request).unwrap_err().code()
    }

    #[test]
    fn a_node_is_fenced_only_if_the_others_can_go_on() {
        let cluster = LocalCluster::new();
        assert_eq!(refused(&cluster, fence_node(7, false)), Code::NotFound);
        assert_eq!(refused(&cluster, fence_node(1, true)), Code::FailedPrecondition, "itself");
        cluster.join(NodeId(2));
        cluster.join(NodeId(3));
        let voters: Vec<NodeId> = (1..=3).map(NodeId).collect();
        let state = cluster.state();
        assert!(must_leave_a_quorum(&state, &voters, NodeId(2)).is_ok());
        let life = state.node(NodeId(3)).unwrap().life(NodeId(3));
        cluster.apply(Command::SuspectNode { life, fencer: NodeId(1) });
        let state = cluster.state();
        assert!(must_leave_a_quorum(&state, &voters, NodeId(2)).is_err(), "one of three is left");
        assert!(must_leave_a_quorum(&state, &voters, NodeId(3)).is_ok(), "the suspect itself");
    }

    #[test]
    fn the_end_of_the_life_that_was_meant_is_told() {
        let cluster = LocalCluster::new();
        cluster.join(NodeId(2));
        let log = FenceLog::default();
        let before = fence(&cluster, &log, &fence_node(2, true)).unwrap();
        assert!(!before.ended);
        let life = cluster.state().node(NodeId(2)).unwrap().life(NodeId(2));
        let proof = FenceProof::Command { exit_status: 0 };
        cluster.apply(Command::FenceNode { life, proof });
        let after = fence(&cluster, &log, &fence_node(2, true)).unwrap();
        assert!(after.ended && after.detail.contains("exit status 0"), "{after:?}");
        cluster.join(NodeId(2));
        let meant = pb::FenceNodeRequest { incarnation: before.incarnation, ..fence_node(2, true) };
        let again = fence(&cluster, &log, &meant).unwrap();
        assert!(again.ended && again.detail.contains("joined again"), "the new life is let be");
    }

    #[tokio::test]
    async fn the_last_live_node_is_drained_only_by_force() {
        let cluster = LocalCluster::new();
        let request = |node, force| pb::DrainNodeRequest { node, force };
        let refused = drain(&cluster, &request(1, false)).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(drain(&cluster, &request(9, false)).await.unwrap_err().code(), Code::NotFound);
        // This cluster's nodes answer nobody: not drained, and asked again.
        assert!(!drain(&cluster, &request(1, true)).await.unwrap().drained);
        let silent = resume(&cluster, NodeId(1)).await.unwrap_err();
        assert_eq!(silent.code(), Code::Unavailable);
    }
}
