//! This node's answers to the questions of other nodes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::command::{Command, EndHow, NodeLife, OpenRef};
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::types::SessionId;
use parking_lot::Mutex;
use tracing::info;

use crate::doctor::answering;
use crate::in_hand::Matter;
use crate::informed;
use crate::node::Node;
use crate::ports::{PeerHandler, PeerReply, PeerRequest};
use crate::service;
use crate::session::end_session;

/// How long a withdrawal is waited for before the answer is "not now".
const WITHDRAW_WAIT: Duration = Duration::from_secs(1);

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
                let told = node.breaks.wait_told(&node, client_guid, key, epoch);
                // By then nobody waits for this answer any more: it is asked for again.
                match tokio::time::timeout(informed::ASK_TIMEOUT, told).await {
                    Ok(()) => PeerReply::Done,
                    Err(_) => PeerReply::NotNow,
                }
            }
            PeerRequest::Withdraw => match service::withdraw(&node, WITHDRAW_WAIT).await {
                true => PeerReply::Done,
                false => PeerReply::NotNow,
            },
            PeerRequest::ServeAgain => {
                info!("serving again");
                node.service.resume();
                PeerReply::Done
            }
            PeerRequest::Examine(question) => answering::answer(&node, &question).await,
        }
    }
}

/// Gives an open up if its client's connection is gone, or never was told of it.
pub async fn release(node: &Arc<Node>, open: OpenRef, session: SessionId) -> PeerReply {
    if let Some(local) = node.sessions.get(session) {
        if local.connection().is_none() {
            // The session is ending, and its end is the open's release.
            end_session(node, &local, EndHow::ConnectionLost).await;
            return PeerReply::Done;
        }
        if local.file_opens().iter().any(|held| held.open == open) {
            return PeerReply::ConnectionAlive;
        }
    }
    if node.in_hand.contains(Matter::Open(open)) {
        // On its way into the session's table, or out of it.
        return PeerReply::NotNow;
    }
    let bound = (node.cluster.life(), session);
    match node.cluster.state().open(open.open) {
        Some(found) if found.generation < open.generation => return PeerReply::NotNow,
        Some(found) if found.open_ref() == open && found.bound_to() == Some(bound) => {}
        // A question that comes late.
        Some(_) | None => return PeerReply::Done,
    }
    // No session has it here, yet the state still binds it to one: an answer of the log that this
    // node gave up waiting for, or an open that could not be served.
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
