//! An operation that changes what clients may have cached is answered only once each of them was
//! told: its node has sent the notification, or is fenced, or the client is away.

use holdfast_cluster::outcome::BrokenLease;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::node::Node;
use crate::ports::{PeerReply, PeerRequest};

/// How long one question waits for its answer.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two questions.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Waits for every teller. `index` is the entry that broke the leases.
pub async fn wait_told(node: &Node, index: u64, broken: &[BrokenLease]) {
    let tellers: FuturesUnordered<_> =
        broken.iter().map(|lease| wait_one(node, index, lease)).collect();
    tellers.collect::<Vec<()>>().await;
}

async fn wait_one(node: &Node, index: u64, lease: &BrokenLease) {
    let Some(teller) = lease.teller else { return };
    let request = PeerRequest::BreakTold {
        client_guid: lease.client_guid,
        key: lease.key,
        epoch: lease.epoch,
        index,
    };
    while !node.cluster.state().has_ended(teller) {
        // This node is asked in the same way: its answer comes from its own delivery.
        let answer = node.cluster.ask(teller.node, request.clone(), ASK_TIMEOUT).await;
        if answer == Ok(PeerReply::Done) {
            return;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}
