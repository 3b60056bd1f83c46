//! The grant barrier: a grant that limits plain I/O of other opens is answered only when every
//! node with an open on that file has applied it and drained the I/O that began before, or is
//! fenced.
//!
//! Reads and writes are decided by each node's own replica, and a replica lags. Without the
//! barrier two healthy nodes would corrupt a client's cache with no fault at all.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use holdfast_cluster::command::NodeLife;
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::outcome::Barrier;
use holdfast_cluster::planted::{self, PlantedBug};
use tracing::warn;

use crate::node::Node;
use crate::ports::{PeerReply, PeerRequest};

/// A node that holds a barrier up for this long is suspected.
pub const SUSPECT_AFTER: Duration = Duration::from_secs(5);
/// After this long without a proof the grant is withdrawn.
pub const WITHDRAW_AFTER: Duration = Duration::from_secs(15);
/// How long one question waits for its answer.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two questions to a node that answered "not now", or not at all.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// The barrier could not be passed in time: the grant has to be withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a node held the grant's barrier up")]
pub struct HeldUp;

/// Passes the barrier of a grant.
pub async fn pass(node: &Node, barrier: &Barrier) -> Result<(), HeldUp> {
    gap::pass(Gap::GrantToBarrier).await;
    if planted::is(PlantedBug::NoGrantBarrier) {
        return Ok(());
    }
    let asked: FuturesUnordered<_> =
        barrier.nodes.iter().map(|life| pass_node(node, *life, barrier)).collect();
    let everyone = asked.collect::<Vec<()>>();
    match tokio::time::timeout(WITHDRAW_AFTER, everyone).await {
        Ok(_) => Ok(()),
        Err(_) => Err(HeldUp),
    }
}

async fn pass_node(node: &Node, life: NodeLife, barrier: &Barrier) {
    if life == node.cluster.life() {
        // Our own replica told us of the grant: it has applied it.
        node.gate.drain_file(barrier.file).await;
        return;
    }
    let request = PeerRequest::Barrier { file: barrier.file, index: barrier.index };
    let mut report_at = node.clock.boot() + SUSPECT_AFTER;
    loop {
        if node.cluster.state().has_ended(life) {
            return;
        }
        let answer = node.cluster.ask(life.node, request.clone(), ASK_TIMEOUT).await;
        if answer == Ok(PeerReply::Done) {
            return;
        }
        if node.clock.boot() >= report_at {
            // Again and again: whoever led may have ended with the report.
            report_at = node.clock.boot() + SUSPECT_AFTER;
            warn!(peer = %life.node, file = %barrier.file, "holds a grant's barrier up");
            node.cluster.report_stuck(life);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}
