//! Every node's part in ending others: prepares when an incarnation joins, notices when one ends
//! by itself, and brings the proof when the state names it as the fencer.
//!
//! The state alone says what is due; a node that missed an effect finds it there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::command::{Command, NodeIdentity, NodeLife};
use crate::handle::SubmitError;
use crate::ports::{Clock, FenceError, Fencer};
use crate::raft::lives::{self, Standing};
use crate::raft::submitter::Submitter;
use crate::state::State;

/// How often the state is looked at although nothing was told.
const ROUND: Duration = Duration::from_millis(250);
/// The pause after a fencer failed...
const RETRY: Duration = Duration::from_millis(200);
/// ... growing to this: shorter than the time that a named fencer has.
const RETRY_MAX: Duration = Duration::from_millis(1600);
const SUBMIT_LIMIT: Duration = Duration::from_secs(5);

/// Watches over the other incarnations.
pub struct Fencing {
    pub submitter: Arc<Submitter>,
    pub fencer: Arc<dyn Fencer>,
    pub clock: Arc<dyn Clock>,
    tasks: Mutex<BTreeMap<NodeLife, Watched>>,
}

struct Watched {
    /// Waits for the incarnation to end by itself.
    end: JoinHandle<()>,
    /// Brings the proof.
    proof: Option<JoinHandle<()>>,
}

impl Fencing {
    /// Watches over nobody yet.
    pub fn new(
        submitter: Arc<Submitter>,
        fencer: Arc<dyn Fencer>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Fencing> {
        Arc::new(Fencing { submitter, fencer, clock, tasks: Mutex::new(BTreeMap::new()) })
    }

    /// Runs until the node closes.
    pub async fn run(self: Arc<Self>) {
        loop {
            let state = self.submitter.replica.state();
            self.look(&state);
            tokio::select! {
                biased;
                () = self.submitter.replica.lives_changed() => {}
                () = sleep(ROUND) => {}
            }
        }
    }

    /// Ends all watching.
    pub fn close(&self) {
        for (_, watched) in std::mem::take(&mut *self.tasks.lock()) {
            watched.abort();
        }
    }

    fn look(self: &Arc<Self>, state: &State) {
        let me = self.submitter.node;
        let mut tasks = self.tasks.lock();
        tasks.retain(|life, watched| {
            let goes_on = is_standing(state, *life);
            if !goes_on {
                watched.abort();
            }
            goes_on
        });
        for (life, standing) in lives::all(state) {
            if life.node == me || standing == Standing::Ended {
                continue;
            }
            let Some(identity) = lives::identity(state, life) else { continue };
            let watched = tasks.entry(life).or_insert_with(|| {
                self.fencer.prepare(life, identity);
                let end = self.clone().notice_end(life, identity.clone());
                Watched { end: tokio::spawn(end), proof: None }
            });
            let idle = watched.proof.as_ref().is_none_or(JoinHandle::is_finished);
            if standing == (Standing::Suspected { fencer: me }) && idle {
                let proof = self.clone().bring_proof(life, identity.clone(), true);
                watched.proof = Some(tokio::spawn(proof));
            }
        }
    }

    async fn notice_end(self: Arc<Self>, life: NodeLife, identity: NodeIdentity) {
        self.fencer.ended(life, &identity).await;
        tracing::warn!(?life, "a node has ended");
        self.bring_proof(life, identity, false).await;
    }

    /// Fences until there is a proof in the log, or nobody wants one any more.
    async fn bring_proof(self: Arc<Self>, life: NodeLife, identity: NodeIdentity, named: bool) {
        let mut pause = RETRY;
        loop {
            match lives::standing(&self.submitter.replica.state(), life) {
                Some(Standing::Suspected { fencer }) if named && fencer != self.submitter.node => {
                    return;
                }
                Some(Standing::Live) if named => return,
                Some(Standing::Ended) | None => return,
                Some(Standing::Live | Standing::Suspected { .. }) => {}
            }
            // Who is cut off may have been named long ago, and the other heard of since: a node
            // without a lease of its own ends nobody.
            if !self.submitter.lease.holds(self.clock.boot()) {
                sleep(RETRY).await;
                continue;
            }
            match self.fencer.fence(life, &identity).await {
                Ok(proof) => {
                    let command = Command::FenceNode { life, proof };
                    match self.submitter.submit(command, SUBMIT_LIMIT).await {
                        Ok(outcome) => {
                            tracing::warn!(?life, ?outcome, "node fenced");
                        }
                        Err(SubmitError::Unknown) => {}
                        Err(SubmitError::Ended) => return,
                    }
                }
                Err(error @ FenceError::NotMine(..)) => {
                    tracing::warn!(%error, "cannot fence");
                    return;
                }
                Err(error @ FenceError::NoProof(..)) => tracing::warn!(%error, "fencing goes on"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        }
    }
}

impl Watched {
    fn abort(&self) {
        self.end.abort();
        if let Some(proof) = &self.proof {
            proof.abort();
        }
    }
}

fn is_standing(state: &State, life: NodeLife) -> bool {
    matches!(lives::standing(state, life), Some(Standing::Live | Standing::Suspected { .. }))
}
