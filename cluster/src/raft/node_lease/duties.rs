//! What the leader does of its own accord: lets time pass, and watches over the other nodes.
//!
//! It founds the cluster once, proposes a tick while the state has deadlines, and suspects who was
//! not heard of. A suspicion names a fencer: a live node on the same host, this one if possible;
//! one that brings no proof is relieved by the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_proto::types::NodeId;
use openraft::ReadPolicy;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::grants::Grants;
use super::{FENCER_PATIENCE, LENGTH, RENEWAL};
use crate::command::{Command, NodeLife};
use crate::ports::Clock;
use crate::raft::lives::{self, Standing};
use crate::raft::network::LinkEvent;
use crate::raft::submitter::Submitter;
use crate::state::State;

/// How often the leader looks around.
const ROUND: Duration = Duration::from_millis(50);
/// How often time passes while a deadline is armed.
const TICK: Duration = Duration::from_millis(100);
/// A round that came this much late means that this node itself stood still.
const STOOD_STILL: Duration = Duration::from_millis(200);
const SUBMIT_LIMIT: Duration = Duration::from_secs(5);

/// The leader's duties. One instance on each node; idle where it does not lead.
pub struct Duties {
    pub submitter: Arc<Submitter>,
    pub grants: Arc<Grants>,
    pub clock: Arc<dyn Clock>,
    /// The command that founds the cluster.
    pub founding: Command,
    pub under_way: Arc<UnderWay>,
}

/// Commands of the leader's own that have no outcome yet.
#[derive(Default)]
pub struct UnderWay {
    founding: AtomicBool,
    ticking: AtomicBool,
    /// Suspicions: how many fencers were named, and when the last one.
    suspicions: Mutex<BTreeMap<NodeLife, (usize, Duration)>>,
}

impl Duties {
    /// Runs until the node closes.
    pub async fn run(self) {
        let mut before = self.clock.boot();
        let mut ticked = Duration::ZERO;
        loop {
            sleep(ROUND).await;
            let now = self.clock.boot();
            let late = now.saturating_sub(before + ROUND);
            before = now;
            let Ok(leader) = self.submitter.raft.as_leader() else {
                self.grants.end();
                self.under_way.suspicions.lock().clear();
                continue;
            };
            let state = self.submitter.replica.state();
            self.submitter.proposer.note_leading(leader.term());
            self.grants.begin(leader.term(), lives::all(&state).map(|(life, _)| life));
            if late > STOOD_STILL {
                self.grants.excuse(late);
            }
            self.found(&state);
            // After a stop of all nodes its own join pushes the deadlines back; before that no
            // time passes.
            let joined = self.submitter.replica.life().is_some();
            if joined && state.has_deadlines() && now.saturating_sub(ticked) >= TICK {
                ticked = now;
                self.tick();
            }
            // Who cannot be heard by anybody must not take the others for dead.
            match self.is_followed().await {
                true => self.watch(&state, now),
                false => self.grants.excuse_until(now + LENGTH),
            }
        }
    }

    /// Whether a quorum has followed this leader lately.
    async fn is_followed(&self) -> bool {
        let followed = self.submitter.raft.ensure_linearizable(ReadPolicy::LeaseRead);
        matches!(timeout(ROUND, followed).await, Ok(Ok(_)))
    }

    /// The first leader founds the cluster.
    fn found(&self, state: &State) {
        if lives::is_founded(state) || self.under_way.founding.swap(true, Ordering::AcqRel) {
            return;
        }
        let (submitter, under_way) = (self.submitter.clone(), self.under_way.clone());
        let founding = self.founding.clone();
        tokio::spawn(async move {
            let outcome = submitter.submit(founding, SUBMIT_LIMIT).await;
            tracing::info!(?outcome, "founded the cluster");
            under_way.founding.store(false, Ordering::Release);
        });
    }

    fn tick(&self) {
        if self.under_way.ticking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (submitter, under_way) = (self.submitter.clone(), self.under_way.clone());
        tokio::spawn(async move {
            if let Err(error) = submitter.submit(Command::Tick, SUBMIT_LIMIT).await {
                tracing::debug!(%error, "a tick got lost");
            }
            under_way.ticking.store(false, Ordering::Release);
        });
    }

    fn watch(&self, state: &State, now: Duration) {
        for (life, standing) in lives::all(state) {
            match standing {
                // This node renews from itself; only a barrier that it holds up speaks against it.
                Standing::Live if life.node == self.submitter.node => {
                    if self.grants.is_stuck(life) {
                        self.suspect(state, life, now);
                    }
                }
                Standing::Live if self.grants.is_overdue(life, now) => {
                    self.suspect(state, life, now);
                }
                Standing::Suspected { .. } => self.suspect(state, life, now),
                Standing::Live => {
                    self.under_way.suspicions.lock().remove(&life);
                }
                Standing::Ended => {}
            }
        }
        let known = |life| {
            matches!(
                lives::standing(state, life),
                Some(Standing::Live | Standing::Suspected { .. })
            )
        };
        self.grants.forget_others(now, known);
        self.under_way.suspicions.lock().retain(|life, _| known(*life));
    }

    /// Names a fencer; another one each time that the last brought no proof.
    fn suspect(&self, state: &State, life: NodeLife, now: Duration) {
        let attempt = {
            let mut suspicions = self.under_way.suspicions.lock();
            let (attempts, at) = suspicions.entry(life).or_insert((0, Duration::ZERO));
            if *attempts > 0 && now.saturating_sub(*at) < FENCER_PATIENCE {
                return;
            }
            *attempts += 1;
            *at = now;
            *attempts - 1
        };
        let fencers = fencers(state, life, self.submitter.node);
        if fencers.is_empty() {
            return;
        }
        let fencer = fencers[attempt % fencers.len()];
        let submitter = self.submitter.clone();
        tokio::spawn(async move {
            let command = Command::SuspectNode { life, fencer };
            let outcome = submitter.submit(command, FENCER_PATIENCE).await;
            tracing::warn!(?life, %fencer, ?outcome, "node suspected");
        });
    }
}

/// Who may bring the proof, best first: this node and then others on the same host, then whoever
/// lives.
fn fencers(state: &State, victim: NodeLife, me: NodeId) -> Vec<NodeId> {
    let host = |node: NodeId| lives::identity_of_node(state, node).map(|id| id.boot_id.clone());
    let victims_host = host(victim.node);
    let mut fencers: Vec<NodeId> = lives::all(state)
        .filter(|(life, standing)| {
            *standing == Standing::Live && life.node != victim.node && life.node != me
        })
        .map(|(life, _)| life.node)
        .collect();
    if victim.node != me {
        fencers.insert(0, me);
    }
    // A stable sort: this node stays first among its equals.
    fencers.sort_by_key(|node| host(*node) != victims_host);
    fencers
}

/// Turns broken streams into doubt: a node whose stream broke must renew soon.
pub async fn doubt_the_lost(
    grants: Arc<Grants>,
    submitter: Arc<Submitter>,
    mut events: tokio::sync::mpsc::UnboundedReceiver<LinkEvent>,
) {
    while let Some(LinkEvent::Lost { peer }) = events.recv().await {
        let state = submitter.replica.state();
        for (life, _) in lives::all(&state).filter(|(life, _)| life.node == NodeId(peer)) {
            grants.doubt(life, RENEWAL * 2);
        }
    }
}
