//! The local replica as the rest of the node sees it: the published state, and everybody who
//! waits for something to be applied.
//!
//! After each batch the state is published first, then the index, then outcomes and effects: who
//! hears of an entry finds it in the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_proto::types::NodeId;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::command::{NodeLife, SubmitId};
use crate::effect::{Effect, EffectId};
use crate::outcome::Outcome;
use crate::state::State;

/// What a node is to do, in log order; each addressed to this node or to all.
pub type Effects = mpsc::UnboundedReceiver<(EffectId, Effect)>;

/// What a batch of entries came to.
#[derive(Default)]
pub struct Batch {
    pub outcomes: Vec<(SubmitId, Outcome)>,
    pub effects: Vec<(EffectId, Effect)>,
    /// An incarnation joined, left, or is suspected or fenced.
    pub lives_changed: bool,
}

/// The replica's outside.
pub struct Replica {
    node: NodeId,
    published: RwLock<Arc<State>>,
    book: Mutex<Book>,
    effects: mpsc::UnboundedSender<(EffectId, Effect)>,
    /// Told whenever [`Batch::lives_changed`]; one task listens.
    lives_changed: Notify,
}

#[derive(Default)]
struct Book {
    applied: u64,
    /// This incarnation, once its join is applied.
    life: Option<NodeLife>,
    at_index: BTreeMap<u64, Vec<oneshot::Sender<()>>>,
    submits: BTreeMap<SubmitId, oneshot::Sender<Outcome>>,
    waits: BTreeMap<SubmitId, Vec<oneshot::Sender<Outcome>>>,
    /// Submits that must be sent again: a snapshot passed over their entries.
    passed_over: Vec<Arc<Notify>>,
}

/// A submit that waits for its outcome; gone with its waiter.
pub struct Expected<'a> {
    replica: &'a Replica,
    id: SubmitId,
    pub outcome: oneshot::Receiver<Outcome>,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.replica.book.lock().submits.remove(&self.id);
    }
}

impl Replica {
    /// A replica that has applied nothing, and the effects that will come of it.
    pub fn new(node: NodeId) -> (Arc<Replica>, Effects) {
        let (effects, rx) = mpsc::unbounded_channel();
        let replica = Replica {
            node,
            published: RwLock::new(Arc::new(State::default())),
            book: Mutex::new(Book::default()),
            effects,
            lives_changed: Notify::new(),
        };
        (Arc::new(replica), rx)
    }

    /// The state as of the last batch.
    pub fn state(&self) -> Arc<State> {
        self.published.read().clone()
    }

    /// The index of the last entry that is published.
    pub fn applied(&self) -> u64 {
        self.book.lock().applied
    }

    /// This incarnation, once its join is applied.
    pub fn life(&self) -> Option<NodeLife> {
        self.book.lock().life
    }

    /// From here on, effects for `life` are passed on. What came before is derived from the state
    /// by whoever starts.
    pub fn begin_life(&self, life: NodeLife) {
        self.book.lock().life = Some(life);
    }

    /// Returns once `index` is published.
    pub async fn wait_applied(&self, index: u64) {
        let rx = {
            let mut book = self.book.lock();
            if book.applied >= index {
                return;
            }
            let (tx, rx) = oneshot::channel();
            book.at_index.entry(index).or_default().push(tx);
            rx
        };
        if rx.await.is_err() {
            // The replica is gone, and with it the node: nothing is ever applied again.
            std::future::pending::<()>().await;
        }
    }

    /// Resolves after the next change among the incarnations. One task at a time.
    pub async fn lives_changed(&self) {
        self.lives_changed.notified().await;
    }

    /// Enlists a submit before it is sent.
    pub fn expect(&self, id: SubmitId) -> Expected<'_> {
        let (tx, outcome) = oneshot::channel();
        self.book.lock().submits.insert(id, tx);
        Expected { replica: self, id, outcome }
    }

    /// Enlists for the end of a wait. The caller then looks into the state: what was settled
    /// before is found there.
    pub fn await_settled(&self, wait: SubmitId) -> oneshot::Receiver<Outcome> {
        let (tx, rx) = oneshot::channel();
        let mut book = self.book.lock();
        let waiters = book.waits.entry(wait).or_default();
        waiters.retain(|tx| !tx.is_closed());
        waiters.push(tx);
        rx
    }

    /// Forgets who was enlisted for the end of a wait and is gone.
    pub fn forget_settled(&self, wait: SubmitId) {
        let mut book = self.book.lock();
        if let Some(waiters) = book.waits.get_mut(&wait) {
            waiters.retain(|tx| !tx.is_closed());
            if waiters.is_empty() {
                book.waits.remove(&wait);
            }
        }
    }

    /// Publishes what a batch came to.
    pub fn publish(&self, state: Arc<State>, applied: u64, batch: Batch) {
        *self.published.write() = state;
        let Batch { outcomes, effects, lives_changed } = batch;
        let mut told = Vec::new();
        let mut resolved = Vec::new();
        let life = {
            let mut book = self.book.lock();
            book.applied = applied;
            let later = book.at_index.split_off(&(applied + 1));
            told.extend(std::mem::replace(&mut book.at_index, later).into_values().flatten());
            for (id, outcome) in outcomes {
                if let Some(tx) = book.submits.remove(&id) {
                    resolved.push((tx, outcome));
                }
            }
            for (_, effect) in &effects {
                if let Effect::Settled { wait, outcome } = effect {
                    for tx in book.waits.remove(wait).unwrap_or_default() {
                        resolved.push((tx, outcome.clone()));
                    }
                }
            }
            book.life
        };
        // Receivers that are gone have given up waiting.
        for (tx, outcome) in resolved {
            let _ = tx.send(outcome);
        }
        for (id, effect) in effects {
            if life.is_some_and(|life| self.concerns(life, &effect)) {
                let _ = self.effects.send((id, effect));
            }
        }
        for tx in told {
            let _ = tx.send(());
        }
        if lives_changed {
            self.lives_changed.notify_one();
        }
    }

    /// A snapshot took the place of entries that were never applied here: whoever waits for one
    /// of them finds its outcome in the state, or must ask again; and what those entries made this
    /// life do is derived from the state.
    pub fn passed_over(&self, state: Arc<State>, applied: u64) {
        let due = self.life().map(|life| state.due_to(life)).unwrap_or_default();
        let numbered = |ordinal| EffectId { index: applied, ordinal };
        let effects = (0..).map(numbered).zip(due).collect();
        let batch = Batch { lives_changed: true, effects, ..Batch::default() };
        self.publish(state, applied, batch);
        let (waits, notified) = {
            let mut book = self.book.lock();
            (std::mem::take(&mut book.waits), std::mem::take(&mut book.passed_over))
        };
        // Their receivers see the sender go, and look into the state.
        drop(waits);
        for notify in notified {
            notify.notify_one();
        }
    }

    /// Told when a snapshot passes over entries.
    pub fn on_passed_over(&self) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        let mut book = self.book.lock();
        book.passed_over.retain(|other| Arc::strong_count(other) > 1);
        book.passed_over.push(notify.clone());
        notify
    }

    fn concerns(&self, life: NodeLife, effect: &Effect) -> bool {
        match effect {
            Effect::SendBreak { to, .. } | Effect::EndSession { to, .. } => *to == life,
            Effect::Settled { wait, .. } => {
                wait.node == life.node && wait.incarnation == life.incarnation
            }
            Effect::RunDuty { to, .. } | Effect::ResolveIntent { to, .. } => *to == self.node,
            Effect::Fence { fencer, .. } => *fencer == self.node,
            Effect::NodeEnded { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_proto::types::{Guid, Incarnation};

    use super::*;
    use crate::command::{Command, FenceProof, NodeIdentity, Timers};
    use crate::state::Entry;

    fn timers() -> Timers {
        Timers {
            break_ack_millis: 1,
            break_ack_persistent_millis: 1,
            contender_wait_millis: 1,
            persistent_millis: 1,
            durable_millis: 1,
            durable_max_millis: 1,
        }
    }

    /// A state in which node 2 is to fence node 1.
    fn suspected() -> (State, NodeLife) {
        let mut state = State::default();
        let identity = |node: u64| NodeIdentity {
            name: format!("node{node}"),
            smb_address: String::new(),
            peer_address: String::new(),
            boot_id: String::new(),
            pid: 1,
            process_start: 1,
            lock_path: String::new(),
            machine_version: 1,
            folder: None,
        };
        let join = |node: u64| Command::JoinNode {
            node: NodeId(node),
            identity: identity(node),
            proof: FenceProof::Rejoined,
        };
        let found = Command::FoundCluster {
            cluster_id: Guid([1; 16]),
            server_guid: Guid([2; 16]),
            name: "cluster".to_owned(),
            timers: timers(),
        };
        let life = |index| NodeLife { node: NodeId(index - 1), incarnation: Incarnation(index) };
        let suspect = Command::SuspectNode { life: life(2), fencer: NodeId(2) };
        for (index, command) in (1..).zip([found, join(1), join(2), suspect]) {
            let node = NodeId(index.clamp(2, 3) - 1);
            let submit = SubmitId { node, incarnation: Incarnation(0), sequence: index };
            let entry = Entry { elapsed_nanos: 0, submit, command };
            let outcome = state.apply(index, &entry).outcome;
            assert!(!matches!(outcome, Outcome::Refused(_)), "{index}: {outcome:?}");
        }
        (state, life(3))
    }

    #[test]
    fn a_snapshot_brings_what_the_entries_that_it_replaces_asked_for() {
        let (state, life) = suspected();
        let (replica, mut effects) = Replica::new(life.node);
        replica.passed_over(Arc::new(state.clone()), 4);
        assert!(effects.try_recv().is_err(), "before its join nothing is asked of a node");
        replica.begin_life(life);
        replica.passed_over(Arc::new(state), 4);
        let (id, effect) = effects.try_recv().expect("an effect");
        assert_eq!(id, EffectId { index: 4, ordinal: 0 });
        assert!(matches!(effect, Effect::Fence { fencer, .. } if fencer == life.node));
    }

    #[test]
    fn who_waits_no_more_is_forgotten() {
        let (replica, _effects) = Replica::new(NodeId(1));
        let wait = SubmitId { node: NodeId(1), incarnation: Incarnation(2), sequence: 3 };
        let waits = replica.await_settled(wait);
        drop(replica.await_settled(wait));
        replica.forget_settled(wait);
        assert_eq!(replica.book.lock().waits.values().map(Vec::len).sum::<usize>(), 1);
        drop(waits);
        replica.forget_settled(wait);
        assert!(replica.book.lock().waits.is_empty());
    }
}
