//! From any node to the leader and back: submits, and read indexes.
//!
//! A submit is sent under one [`SubmitId`] until its outcome comes from the *local* apply, or time
//! is up; the state drops repeats. What the leader answers only tells when to send again.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::types::{Incarnation, NodeId};
use openraft::ReadPolicy;
use tokio::time::{Instant, sleep, sleep_until};

use super::Raft;
use super::closing::Closing;
use super::network::{Body, MAX_COMMAND_BYTES, PeerLink, pb};
use super::proposer::{Proposed, Proposer};
use super::replica::Replica;
use crate::command::{Command, SubmitId};
use crate::encoding;
use crate::handle::{NodeLease, SubmitError};
use crate::outcome::{Outcome, Refusal};
use crate::state::Entry;

/// How long an answer of the leader is awaited before the submit is sent again.
const ATTEMPT: Duration = Duration::from_secs(2);
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(150);
/// How often a waiting submit looks whether another node leads now.
const LOOK: Duration = Duration::from_millis(50);

/// Sends commands to whoever leads.
pub struct Submitter {
    pub node: NodeId,
    pub raft: Raft,
    pub replica: Arc<Replica>,
    pub proposer: Proposer,
    pub links: Arc<BTreeMap<u64, Arc<PeerLink>>>,
    pub lease: Arc<NodeLease>,
    pub closing: Arc<Closing>,
    pub sequence: AtomicU64,
}

impl Submitter {
    /// The next id of this incarnation; before the join, of none.
    pub fn next_id(&self) -> SubmitId {
        let incarnation = self.replica.life().map_or(Incarnation(0), |life| life.incarnation);
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        SubmitId { node: self.node, incarnation, sequence }
    }

    /// Submits under the next id.
    ///
    /// # Errors
    /// No outcome within `limit`, or this incarnation has ended.
    pub async fn submit(&self, command: Command, limit: Duration) -> Result<Outcome, SubmitError> {
        self.submit_as(self.next_id(), command, limit).await
    }

    /// Submits under `id`.
    ///
    /// # Errors
    /// No outcome within `limit`, or this incarnation has ended.
    pub async fn submit_as(
        &self,
        id: SubmitId,
        command: Command,
        limit: Duration,
    ) -> Result<Outcome, SubmitError> {
        let deadline = Instant::now() + limit;
        let entry = Entry { elapsed_nanos: 0, submit: id, command };
        let bytes = encoding::encode_entry(&entry);
        // Room for the stamp that the leader adds.
        if bytes.len() + 16 > MAX_COMMAND_BYTES {
            return Ok(Outcome::Refused(Refusal::InsufficientResources));
        }
        let mut expected = self.replica.expect(id);
        let passed_over = self.replica.on_passed_over();
        let mut pause = PAUSE_MIN;
        loop {
            if self.lease.is_fenced() || self.closing.is_closed() {
                return Err(SubmitError::Ended);
            }
            let round = async {
                match self.propose(&bytes, deadline).await {
                    Proposed::Committed(_) => {
                        pause = PAUSE_MIN;
                        // Only if this replica skips the entry is it to be sent again.
                        tokio::select! {
                            biased;
                            () = passed_over.notified() => {}
                            () = sleep(ATTEMPT) => {}
                        }
                    }
                    Proposed::NotTaken { .. } => {
                        sleep(pause).await;
                        pause = (pause * 2).min(PAUSE_MAX);
                    }
                }
            };
            tokio::select! {
                biased;
                outcome = &mut expected.outcome => {
                    // The sender lives in the replica, which this borrows.
                    return outcome.map_err(|_| SubmitError::Ended);
                }
                () = self.closing.closed() => return Err(SubmitError::Ended),
                () = sleep_until(deadline) => return Err(SubmitError::Unknown),
                () = round => {}
            }
        }
    }

    async fn propose(&self, bytes: &Bytes, deadline: Instant) -> Proposed {
        let asked = self
            .ask_leader(
                deadline,
                async |bytes: Bytes| self.proposer.propose_encoded(&bytes).await,
                bytes.clone(),
                Body::Submit(pb::Submit { entry: bytes.clone() }),
            )
            .await;
        match asked {
            Some(Answer::Own(proposed)) => proposed,
            Some(Answer::Peer(Body::Submitted(pb::Submitted { index, .. }))) if index > 0 => {
                Proposed::Committed(index)
            }
            _ => Proposed::NotTaken { leader: None },
        }
    }

    /// Returns once the replica has seen the leader's read index.
    ///
    /// # Errors
    /// No leader said one within `limit`, or this incarnation has ended.
    pub async fn read_index(&self, limit: Duration) -> Result<(), SubmitError> {
        let deadline = Instant::now() + limit;
        let mut pause = PAUSE_MIN;
        loop {
            if self.lease.is_fenced() || self.closing.is_closed() {
                return Err(SubmitError::Ended);
            }
            let asked = self
                .ask_leader(
                    deadline,
                    async |()| self.own_read_index().await,
                    (),
                    Body::ReadIndex(pb::ReadIndex {}),
                )
                .await;
            let index = match asked {
                Some(Answer::Own(index)) => index,
                Some(Answer::Peer(Body::ReadAt(at))) if at.index > 0 => Some(at.index),
                _ => None,
            };
            if let Some(index) = index {
                return before(deadline, self.replica.wait_applied(index)).await;
            }
            if Instant::now() + pause >= deadline {
                return Err(SubmitError::Unknown);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The read index, if this node leads and a quorum still follows it.
    pub async fn own_read_index(&self) -> Option<u64> {
        match self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await {
            Ok(linearizer) => Some(linearizer.read_log_id().index()),
            Err(error) => {
                tracing::debug!(%error, "no read index");
                None
            }
        }
    }

    /// Asks the leader: this node itself, or over the link. None: nobody leads, it gave no answer,
    /// or another node leads by now.
    pub async fn ask_leader<I, T>(
        &self,
        deadline: Instant,
        own: impl AsyncFnOnce(I) -> T,
        input: I,
        body: Body,
    ) -> Option<Answer<T>> {
        let leader = self.raft.current_leader().await?;
        let until = deadline.min(Instant::now() + ATTEMPT);
        let asked = async {
            if leader == self.node.0 {
                return Some(Answer::Own(own(input).await));
            }
            let link = self.links.get(&leader)?;
            let limit = until.saturating_duration_since(Instant::now());
            match link.call(body, limit).await {
                Ok(answer) => Some(Answer::Peer(answer)),
                Err(error) => {
                    tracing::debug!(%error, "the leader gave no answer");
                    None
                }
            }
        };
        tokio::select! {
            biased;
            answer = asked => answer,
            () = self.leader_moved(leader) => None,
            () = sleep_until(until) => None,
        }
    }

    /// Resolves when somebody else than `leader` leads.
    async fn leader_moved(&self, leader: u64) {
        loop {
            sleep(LOOK).await;
            if self.raft.current_leader().await.is_some_and(|now| now != leader) {
                return;
            }
        }
    }
}

/// Who answered.
pub enum Answer<T> {
    Own(T),
    Peer(Body),
}

async fn before(deadline: Instant, wait: impl Future<Output = ()>) -> Result<(), SubmitError> {
    tokio::select! {
        biased;
        () = wait => Ok(()),
        () = sleep_until(deadline) => Err(SubmitError::Unknown),
    }
}
