//! A node that has joined: the [`Cluster`] that the server works with, and the node's services to
//! its peers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use holdfast_proto::types::NodeId;
use openraft::async_runtime::watch::WatchReceiver;
use tokio::time::{Instant, sleep, timeout};

use super::Raft;
use super::closing::Closing;
use super::lives::{self, Standing};
use super::log_health::LogHealth;
use super::network::acceptor::Services;
use super::network::{Body, PeerLink, pb, question_to, reply_from};
use super::node_lease::RENEWAL;
use super::node_lease::fencing::Fencing;
use super::node_lease::grants::Grants;
use super::proposer::Proposed;
use super::replica::Replica;
use super::submitter::Submitter;
use crate::command::{Command, NodeLife, SubmitId};
use crate::handle::{Cluster, NodeLease, SubmitError};
use crate::outcome::{Outcome, Refusal};
use crate::peer::{PeerHandler, PeerReply, PeerRequest, PeerSilent};
use crate::state::State;

/// How long a submit or a read index goes on without an answer.
const SUBMIT_LIMIT: Duration = Duration::from_secs(10);
/// How long an orderly leave may take.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
/// How long one heir has to take over.
const HAND_OVER_LIMIT: Duration = Duration::from_millis(500);

/// A node of the cluster.
pub struct Node {
    pub(super) life: NodeLife,
    pub(super) session_prefix: u32,
    pub(super) raft: Raft,
    pub(super) replica: Arc<Replica>,
    pub(super) submitter: Arc<Submitter>,
    pub(super) log: Arc<LogHealth>,
    pub(super) links: Arc<BTreeMap<u64, Arc<PeerLink>>>,
    pub(super) peer_handler: Arc<dyn PeerHandler>,
    pub(super) grants: Arc<Grants>,
    pub(super) fencing: Arc<Fencing>,
    pub(super) closing: Arc<Closing>,
}

impl Node {
    /// Ends this incarnation in order. The caller has sealed its gate and drained: what this node
    /// owned may be taken over at once.
    ///
    /// # Errors
    /// Nobody took it in time; the others will have to fence it.
    pub async fn leave(&self) -> Result<(), SubmitError> {
        let command = Command::LeaveNode { life: self.life };
        let left = self.submitter.submit(command, LEAVE_LIMIT).await.map(drop);
        self.hand_over().await;
        left
    }

    /// Stops everything that runs for this node, and returns when the log is closed.
    pub async fn shutdown(&self) {
        self.submitter.lease.set_connected(false);
        self.closing.close();
        self.fencing.close();
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "Raft ended badly");
        }
    }

    /// Resolves if this node cannot go on, with the reason: its log or machine failed.
    pub async fn halted(&self) -> String {
        halted(self.raft.clone(), self.log.clone()).await
    }

    /// What is wrong with this node's log, for people; it goes by itself with its cause.
    pub fn log_trouble(&self) -> Option<String> {
        self.log.trouble()
    }

    /// The node that seems to lead.
    pub async fn leader(&self) -> Option<NodeId> {
        self.raft.current_leader().await.map(NodeId)
    }

    /// Saves a snapshot soon, whatever the policy says.
    ///
    /// # Errors
    /// Raft has stopped.
    pub async fn snapshot_soon(&self) -> Result<(), String> {
        self.raft.trigger().snapshot().await.map_err(|fatal| fatal.to_string())
    }

    /// Closes the node if Raft stops by itself.
    pub(super) async fn watch_raft(self: Arc<Self>) {
        let why = self.halted().await;
        tracing::error!(why, "this node has halted");
        self.submitter.lease.set_connected(false);
        self.fencing.close();
        self.closing.close();
    }
}

/// Resolves once the log has failed or Raft has stopped, with the reason.
pub(super) async fn halted(raft: Raft, log: Arc<LogHealth>) -> String {
    let metrics = raft.metrics();
    let stopped = async {
        loop {
            if let Err(fatal) = &metrics.borrow_watched().running_state {
                return fatal.to_string();
            }
            sleep(RENEWAL).await;
        }
    };
    tokio::select! {
        biased;
        failure = log.failed() => format!(
            "the log failed: {failure}. What was acknowledged is safe; what the disk holds beyond \
             that nobody knows, so nothing is tried again in this process"
        ),
        fatal = stopped => fatal,
    }
}

#[async_trait]
impl Cluster for Node {
    fn life(&self) -> NodeLife {
        self.life
    }

    fn session_prefix(&self) -> u32 {
        self.session_prefix
    }

    fn state(&self) -> Arc<State> {
        self.replica.state()
    }

    fn applied(&self) -> u64 {
        self.replica.applied()
    }

    async fn submit(&self, command: Command) -> Result<Outcome, SubmitError> {
        let outcome = self.submitter.submit(command, SUBMIT_LIMIT).await?;
        let ended = || self.replica.state().has_ended(self.life);
        if outcome == Outcome::Refused(Refusal::NodeGone) && ended() {
            self.submitter.lease.set_fenced();
            self.submitter.lease.set_connected(false);
            return Err(SubmitError::Ended);
        }
        Ok(outcome)
    }

    async fn settled(&self, wait: SubmitId) -> Result<Outcome, SubmitError> {
        loop {
            // Enlisted before the look, so that no settlement falls in between.
            let settled = self.replica.await_settled(wait);
            if let Some(known) = known_end(&self.replica.state(), wait) {
                drop(settled);
                self.replica.forget_settled(wait);
                return known.ok_or(SubmitError::Unknown);
            }
            tokio::select! {
                biased;
                outcome = settled => {
                    if let Ok(outcome) = outcome {
                        return Ok(outcome);
                    }
                }
                () = self.closing.closed() => return Err(SubmitError::Ended),
            }
        }
    }

    async fn read_index(&self) -> Result<(), SubmitError> {
        self.submitter.read_index(SUBMIT_LIMIT).await
    }

    async fn wait_applied(&self, index: u64) {
        self.replica.wait_applied(index).await;
    }

    async fn ask(
        &self,
        peer: NodeId,
        request: PeerRequest,
        limit: Duration,
    ) -> Result<PeerReply, PeerSilent> {
        if peer == self.life.node {
            let answer = self.peer_handler.handle(self.life, request);
            return timeout(limit, answer).await.map_err(|_| PeerSilent(peer));
        }
        let link = self.links.get(&peer.0).ok_or(PeerSilent(peer))?;
        let body = Body::Ask(question_to(self.life.incarnation.0, &request));
        match link.call(body, limit).await {
            Ok(Body::Answer(answer)) => Ok(reply_from(answer)),
            Ok(_) => Err(PeerSilent(peer)),
            Err(error) => {
                tracing::debug!(%peer, %error, "no answer");
                Err(PeerSilent(peer))
            }
        }
    }

    fn report_stuck(&self, life: NodeLife) {
        let (submitter, grants) = (self.submitter.clone(), self.grants.clone());
        tokio::spawn(async move {
            let wire = pb::Life { node: life.node.0, incarnation: life.incarnation.0 };
            let reported = submitter
                .ask_leader(
                    Instant::now() + LEAVE_LIMIT,
                    async |life| grants.doubt_now(life),
                    life,
                    Body::Stuck(pb::Stuck { life: Some(wire) }),
                )
                .await;
            if reported.is_none() {
                tracing::debug!(?life, "nobody to report a stuck node to");
            }
        });
    }

    async fn hand_over(&self) {
        let state = self.replica.state();
        let heirs = lives::all(&state)
            .filter(|(life, standing)| *standing == Standing::Live && life.node != self.life.node)
            .map(|(life, _)| life.node);
        for heir in heirs {
            if self.raft.as_leader().is_err() {
                return;
            }
            if let Err(fatal) = self.raft.trigger().transfer_leader(heir.0).await {
                tracing::warn!(%fatal, "leadership was not handed over");
                return;
            }
            let until = Instant::now() + HAND_OVER_LIMIT;
            while self.raft.as_leader().is_ok() && Instant::now() < until {
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    fn voters(&self) -> Vec<NodeId> {
        let metrics = self.raft.metrics();
        let membership = metrics.borrow_watched().membership_config.clone();
        membership.membership().voter_ids().map(NodeId).collect()
    }

    fn node_lease(&self) -> &Arc<NodeLease> {
        &self.submitter.lease
    }
}

/// What a wait has ended with, as far as that is remembered; none while it goes on.
fn known_end(state: &State, wait: SubmitId) -> Option<Option<Outcome>> {
    match state.outcome_of(wait) {
        Some(Outcome::Waiting(_)) => None,
        // The window is full of newer ones, and it waits all the same.
        None if state.wait(wait).is_some() => None,
        known => Some(known.cloned()),
    }
}

/// What a node does for its peers.
pub(super) struct PeerServices {
    pub submitter: Arc<Submitter>,
    pub grants: Arc<Grants>,
    pub peer_handler: Arc<dyn PeerHandler>,
}

#[async_trait]
impl Services for PeerServices {
    async fn propose(&self, entry: Bytes) -> pb::Submitted {
        match self.submitter.proposer.propose_encoded(&entry).await {
            Proposed::Committed(index) => pb::Submitted { index, leader: 0 },
            Proposed::NotTaken { leader } => {
                pb::Submitted { index: 0, leader: leader.unwrap_or(0) }
            }
        }
    }

    async fn read_index(&self) -> pb::ReadAt {
        let index = self.submitter.own_read_index().await.unwrap_or(0);
        pb::ReadAt { index, leader: 0 }
    }

    async fn renew(&self, life: NodeLife, fit: bool) -> pb::Renewed {
        let verdict = self.grants.renew(life, fit).await;
        pb::Renewed { verdict: verdict.to_wire().into(), leader: 0 }
    }

    fn stuck(&self, life: NodeLife) {
        self.grants.doubt_now(life);
    }

    async fn ask(&self, from: NodeLife, request: PeerRequest) -> PeerReply {
        self.peer_handler.handle(from, request).await
    }
}
