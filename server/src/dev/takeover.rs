//! After a node's end: who proved it, and when the node is back.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_proto::types::NodeId;
use tokio::time::sleep;

use super::screen;
use crate::admin::{AdminClient, pb};
use crate::folder::NodeFolder;

const POLL: Duration = Duration::from_millis(100);
/// Who is not back by then has lines of its own on the screen.
const POLLS_MAX: usize = 300;

/// Prints a line when another node has the proof that the process `pid` ended, and one when its
/// node serves again.
pub async fn tell(folders: BTreeMap<NodeId, NodeFolder>, node: NodeId, pid: u32) {
    let mut proved = false;
    for _ in 0..POLLS_MAX {
        for (other, folder) in &folders {
            let Some(status) = status(folder).await else { continue };
            if *other != node
                && !proved
                && let Some(fencing) = fencing_of(&status, pid)
            {
                println!("{}", screen::proof(*other, fencing));
                proved = true;
            }
            if *other == node && status.serving && running_as(&status).is_some_and(|now| now != pid)
            {
                println!("{}", screen::back(node, running_as(&status)));
                return;
            }
        }
        sleep(POLL).await;
    }
}

async fn status(folder: &NodeFolder) -> Option<pb::StatusReply> {
    AdminClient::connect(folder).await.ok()?.status().await.ok()
}

fn fencing_of(status: &pb::StatusReply, pid: u32) -> Option<&pb::Fencing> {
    status.fencings.iter().rev().find(|fencing| fencing.pid == pid)
}

/// The answering node's own process.
pub(super) fn running_as(status: &pb::StatusReply) -> Option<u32> {
    status.nodes.iter().find(|node| node.id == status.node).map(|node| node.pid)
}
