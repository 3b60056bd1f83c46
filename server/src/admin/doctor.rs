//! Examinations that need the other nodes.

use std::sync::Arc;

use holdfast_cluster::state::NodeStatus;
use holdfast_proto::types::{NodeId, VolumeId};
use tonic::Status;

use super::pb;
use super::pb::finding::Level as Wire;
use crate::doctor::network::PathLimits;
use crate::doctor::{Finding, Level, coherence, network};
use crate::node::Node;

/// Measures the path to every other node of the cluster.
pub(super) async fn examine_peers(node: &Node, limits: &PathLimits) -> pb::Findings {
    let (state, me) = (node.cluster.state(), node.cluster.life().node);
    let mut others = node.cluster.voters();
    others.retain(|other| *other != me);
    let mut findings = Vec::new();
    if others.is_empty() {
        findings.push(Finding::ok("other nodes", "none: the cluster is this node"));
    }
    for other in others {
        match state.node(other).map(|record| &record.status) {
            Some(NodeStatus::Live) => {
                let figures = network::probe(&*node.cluster, &*node.clock, other).await;
                findings.extend(network::judge(&figures, limits));
            }
            Some(NodeStatus::Suspected { .. }) => findings.push(absent(other, "suspected")),
            Some(NodeStatus::Ended(_)) => findings.push(absent(other, "not live")),
            None => findings.push(absent(other, "not live: it never joined")),
        }
    }
    to_wire(findings)
}

/// Without it the cluster may still have its quorum; with another one less it has not.
fn absent(node: NodeId, how: &str) -> Finding {
    Finding::ok(format!("node {}: path", node.0), how)
        .warn("nothing of it could be examined", "start it, and run this again")
}

/// Has all live nodes examine a volume.
pub(super) async fn examine_volume(
    node: &Arc<Node>,
    volume: VolumeId,
) -> Result<pb::Findings, Status> {
    let examination = coherence::examine_to_the_end(Arc::clone(node), volume).await;
    let examination = examination.map_err(Status::failed_precondition)?;
    Ok(to_wire(coherence::judge(&examination)))
}

fn to_wire(findings: Vec<Finding>) -> pb::Findings {
    let findings = findings.into_iter().map(|finding| pb::Finding {
        check: finding.check,
        level: match finding.level {
            Level::Ok => Wire::Ok,
            Level::Warn => Wire::Warn,
            Level::Fail => Wire::Fail,
        }
        .into(),
        figure: finding.figure,
        reason: finding.reason,
        remedy: finding.remedy,
    });
    pb::Findings { findings: findings.collect() }
}

/// A finding of a node, as a command has it.
pub fn from_wire(finding: pb::Finding) -> Finding {
    let level = match finding.level() {
        Wire::Ok => Level::Ok,
        Wire::Warn => Level::Warn,
        Wire::Fail => Level::Fail,
    };
    let pb::Finding { check, figure, reason, remedy, .. } = finding;
    Finding { check, level, figure, reason, remedy }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn nodes_that_are_not_there_are_told() {
        let (node, _cluster) = testing::node(BTreeMap::new());
        let second = Duration::from_secs(1);
        let limits = PathLimits { heartbeat: second, election: second, lease: second };
        let found = examine_peers(&node, &limits).await.findings;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].level(), Wire::Ok);
        assert!(examine_volume(&node, VolumeId(1)).await.is_err(), "there is no volume");
    }

    #[test]
    fn findings_come_back() {
        let found = Finding::ok("a", "1").fail("b", "c");
        let wire = to_wire(vec![found.clone()]).findings.remove(0);
        assert_eq!(from_wire(wire), found);
    }
}
