//! This node's answers to the questions of other nodes.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use holdfast_cluster::command::{Command, EndHow, NodeLife, OpenRef};
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::types::SessionId;
use parking_lot::Mutex;
use tracing::info;

use crate::node::Node;
use crate::ports::{PeerHandler, PeerReply, PeerRequest};
use crate::session::end_session;

/// Answers for a node. Without one yet, or any more, every answer is "not now".
#[derive(Default)]
pub struct Peers {
    node: Mutex<Weak<Node>>,
}

impl Peers {
    /// From now on the answers are `node`'s.
    pub fn serve(&self, node: &Arc<Node>) {
        *self.node.lock() = Arc::downgrade(node);
    }
}

#[async_trait]
impl PeerHandler for Peers {
    async fn handle(&self, _from: NodeLife, request: PeerRequest) -> PeerReply {
        let node = self.node.lock().upgrade();
        let Some(node) = node else { return PeerReply::NotNow };
        match request {
            PeerRequest::Barrier { file, index } => {
                node.cluster.wait_applied(index).await;
                node.gate.drain_file(file).await;
                PeerReply::Done
            }
            PeerRequest::Release { open, session } => release(&node, open, session).await,
            PeerRequest::EndSession { session } => {
                if let Some(session) = node.sessions.get(session) {
                    end_session(&node, &session, EndHow::ConnectionLost).await;
                }
                PeerReply::Done
            }
            PeerRequest::BreakTold { client_guid, key, epoch, index } => {
                node.cluster.wait_applied(index).await;
                node.breaks.wait_told(&node, client_guid, key, epoch).await;
                PeerReply::Done
            }
        }
    }
}

/// Gives an open up if its client's connection is gone.
pub async fn release(node: &Arc<Node>, open: OpenRef, session: SessionId) -> PeerReply {
    if let Some(local) = node.sessions.get(session) {
        if local.connection().is_some() {
            return PeerReply::ConnectionAlive;
        }
        // Its connection is gone: the session is ending, and its end is the open's release.
        end_session(node, &local, EndHow::ConnectionLost).await;
        return PeerReply::Done;
    }
    // The session is not here any more, yet the state still binds the open to it: an answer of
    // the log that this node gave up waiting for.
    node.gate.seal(open);
    node.gate.drain_open(open).await;
    gap::pass(Gap::DrainToRelease).await;
    match node.cluster.submit(Command::ReleaseOpen { open }).await {
        Ok(Outcome::Done) => {
            info!(open = %open.open, "released an open without a session");
            PeerReply::Done
        }
        Ok(_) => PeerReply::Done,
        Err(_) => PeerReply::NotNow,
    }
}
