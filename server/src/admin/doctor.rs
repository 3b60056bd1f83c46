//! Examinations that need the other nodes.

use std::sync::Arc;

use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::state::NodeStatus;
use holdfast_proto::types::{NodeId, VolumeId};
use tonic::Status;

use super::pb;
use super::pb::finding::Level as Wire;
use crate::doctor::coherence::{self, Fitness};
use crate::doctor::network::PathLimits;
use crate::doctor::{Finding, Level, availability, network};
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

/// Has all live nodes examine a volume, and has the cluster keep what came of it.
pub(super) async fn examine_volume(
    node: &Arc<Node>,
    volume: VolumeId,
) -> Result<pb::Findings, Status> {
    let examination = coherence::examine_to_the_end(Arc::clone(node), volume).await;
    let examination = examination.map_err(Status::failed_precondition)?;
    let mut findings = coherence::judge(&examination);
    findings.push(note(node, volume, &coherence::fitness(&examination)).await);
    Ok(to_wire(findings))
}

/// Notes in the log whether the volume is fit, if that is news, and tells how it stands. An
/// examination from which nothing follows changes nothing.
async fn note(node: &Node, volume: VolumeId, fitness: &Fitness) -> Finding {
    let state = node.cluster.state();
    let unfit = match (fitness, state.unfit_volume(volume)) {
        (Fitness::Unfit(why), known) if known != Some(why) => Some(Some(why.clone())),
        (Fitness::Fit, Some(_)) => Some(None),
        (Fitness::Unfit(_) | Fitness::Fit | Fitness::Unknown, _) => None,
    };
    if let Some(unfit) = unfit {
        let noted = node.cluster.submit(Command::JudgeVolume { volume, unfit }).await;
        if !matches!(noted, Ok(Outcome::Done)) {
            return Finding::ok(format!("volume {}: availability", volume.0), "not noted").fail(
                format!("the cluster did not take note of what was found: {noted:?}"),
                "see whether there is a quorum («holdfast status»), and run this again",
            );
        }
    }
    let state = node.cluster.state();
    let shares = state.shares().map(|share| &share.settings);
    let asking = shares.filter(|share| share.volume == volume && share.continuously_available);
    let asking: Vec<&str> = asking.map(|share| share.name.as_str()).collect();
    availability::judge(volume.0, state.unfit_volume(volume), &asking)
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

    use holdfast_cluster::handle::Cluster;

    use super::*;
    use crate::testing;
    use crate::vfs::Vfs;
    use crate::vfs::memory::MemoryVolume;

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

    #[tokio::test]
    async fn a_verdict_is_kept_until_another_one() {
        let volume: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VolumeId(1)));
        let (node, cluster) = testing::node(BTreeMap::from([(VolumeId(1), volume)]));
        let unfit = || cluster.state().unfit_volume(VolumeId(1)).map(str::to_owned);
        let bad = Fitness::Unfit("data: stale".to_owned());
        let level = async |fitness| note(&node, VolumeId(1), &fitness).await.level;

        assert_eq!(level(Fitness::Unknown).await, Level::Ok);
        assert_eq!(level(bad.clone()).await, Level::Fail);
        assert_eq!(unfit().as_deref(), Some("data: stale"));
        assert_eq!(level(Fitness::Unknown).await, Level::Fail, "nothing follows from it");
        // The examination itself finds nothing wrong, so the promise is made again.
        let found = examine_volume(&node, VolumeId(1)).await.unwrap().findings;
        assert!(found.iter().all(|finding| finding.level() == Wire::Ok), "{found:?}");
        assert_eq!(unfit(), None);

        cluster.set_leaderless(true);
        assert_eq!(level(bad).await, Level::Fail, "nobody took note");
        assert_eq!(unfit(), None);
    }

    #[test]
    fn findings_come_back() {
        let found = Finding::ok("a", "1").fail("b", "c");
        let wire = to_wire(vec![found.clone()]).findings.remove(0);
        assert_eq!(from_wire(wire), found);
    }
}
