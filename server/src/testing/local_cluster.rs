//! A cluster of one node: every command is applied to the state at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::command::{Command, FenceProof, NodeIdentity, NodeLife, SubmitId, Timers};
use holdfast_cluster::effect::{Effect, EffectId};
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::peer::{PeerReply, PeerRequest, PeerSilent};
use holdfast_cluster::state::{Applied, Entry, State};
use holdfast_proto::types::{Guid, Incarnation, NodeId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ports::{Cluster, NodeLease, PeerHandler, SubmitError};

/// The only node's view of it.
pub(crate) struct LocalCluster {
    life: NodeLife,
    session_prefix: u32,
    log: Mutex<Log>,
    applied: Notify,
    lease: Arc<NodeLease>,
    leaderless: AtomicBool,
    late: AtomicBool,
    ended: AtomicBool,
    /// Answers this node's questions to itself.
    peers: OnceLock<Arc<dyn PeerHandler>>,
}

struct Log {
    state: Arc<State>,
    index: u64,
    sequence: u64,
    effects: Vec<(EffectId, Effect)>,
    /// Submitted, and not applied yet.
    under_way: Vec<Command>,
}

impl Log {
    fn apply(&mut self, submit: SubmitId, command: Command, elapsed_nanos: u64) -> Applied {
        self.index += 1;
        let entry = Entry { elapsed_nanos, submit, command };
        let applied = Arc::make_mut(&mut self.state).apply(self.index, &entry);
        let index = self.index;
        let numbered = (0..).zip(applied.effects.iter().cloned());
        self.effects.extend(numbered.map(|(ordinal, e)| (EffectId { index, ordinal }, e)));
        applied
    }
}

impl LocalCluster {
    /// A founded cluster that its node has joined.
    pub(crate) fn new() -> LocalCluster {
        let node = NodeId(1);
        let state = Arc::new(State::default());
        let mut log =
            Log { state, index: 0, sequence: 0, effects: Vec::new(), under_way: Vec::new() };
        let submit = SubmitId { node, incarnation: Incarnation(0), sequence: 1 };
        let command = Command::FoundCluster {
            cluster_id: Guid([1; 16]),
            server_guid: Guid([2; 16]),
            name: "holdfast".to_owned(),
            timers: Timers::default(),
        };
        log.apply(submit, command, 0);
        let identity = NodeIdentity {
            name: "one".to_owned(),
            smb_address: "127.0.0.1:445".to_owned(),
            peer_address: "127.0.0.1:4450".to_owned(),
            boot_id: "boot".to_owned(),
            machine_version: 1,
            ..NodeIdentity::default()
        };
        let command = Command::JoinNode { node, identity, proof: FenceProof::Rejoined };
        let submit = SubmitId { sequence: 2, ..submit };
        let Outcome::Joined { incarnation, session_prefix } = log.apply(submit, command, 0).outcome
        else {
            panic!("the first node joins");
        };
        let lease = Arc::new(NodeLease::default());
        lease.extend_to(Duration::from_secs(u64::from(u32::MAX)));
        lease.set_connected(true);
        let life = NodeLife { node, incarnation };
        LocalCluster {
            life,
            session_prefix,
            log: Mutex::new(log),
            applied: Notify::new(),
            lease,
            leaderless: AtomicBool::new(false),
            late: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            peers: OnceLock::new(),
        }
    }

    /// Applies a command of the node.
    pub(crate) fn apply(&self, command: Command) -> Outcome {
        self.apply_after(Duration::ZERO, command)
    }

    /// Another node begins a life. It answers nobody.
    pub(crate) fn join(&self, node: NodeId) {
        let mut log = self.log.lock();
        log.sequence += 1;
        let (incarnation, sequence) = (Incarnation(0), log.sequence);
        let identity = NodeIdentity {
            boot_id: "boot".to_owned(),
            machine_version: 1,
            ..NodeIdentity::default()
        };
        let command = Command::JoinNode { node, identity, proof: FenceProof::Rejoined };
        let outcome = log.apply(SubmitId { node, incarnation, sequence }, command, 0).outcome;
        assert!(matches!(outcome, Outcome::Joined { .. }), "{outcome:?}");
    }

    /// From now on nothing is decided: what is submitted stays unknown, until a leader is there
    /// again.
    pub(crate) fn set_leaderless(&self, leaderless: bool) {
        self.leaderless.store(leaderless, Ordering::Relaxed);
    }

    /// From now on what is submitted is taken and gets no answer in time.
    pub(crate) fn set_late(&self, late: bool) {
        self.late.store(late, Ordering::Relaxed);
    }

    /// The node's incarnation has ended.
    pub(crate) fn set_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Applies what was taken.
    pub(crate) fn apply_late(&self) {
        let under_way = std::mem::take(&mut self.log.lock().under_way);
        for command in under_way {
            self.apply(command);
        }
    }

    /// Who answers this node's questions to itself.
    pub(crate) fn set_peers(&self, peers: Arc<dyn PeerHandler>) {
        assert!(self.peers.set(peers).is_ok(), "a node answers in one way");
    }

    fn need_leader(&self) -> Result<(), SubmitError> {
        if self.leaderless.load(Ordering::Relaxed) { Err(SubmitError::Unknown) } else { Ok(()) }
    }

    /// Lets leader time pass, and carries out what is due.
    pub(crate) fn pass(&self, time: Duration) {
        let step = Duration::from_millis(500);
        for _ in 0..time.as_millis().div_ceil(step.as_millis()) {
            self.apply_after(step, Command::Tick);
        }
    }

    /// The next effects, in order.
    pub(crate) async fn next_effects(&self) -> Vec<(EffectId, Effect)> {
        loop {
            let applied = self.applied.notified();
            let effects = std::mem::take(&mut self.log.lock().effects);
            if !effects.is_empty() {
                return effects;
            }
            applied.await;
        }
    }

    fn apply_after(&self, elapsed: Duration, command: Command) -> Outcome {
        let mut log = self.log.lock();
        log.sequence += 1;
        let NodeLife { node, incarnation } = self.life;
        let submit = SubmitId { node, incarnation, sequence: log.sequence };
        let applied = log.apply(submit, command, elapsed.as_nanos() as u64);
        drop(log);
        self.applied.notify_waiters();
        applied.outcome
    }
}

#[async_trait]
impl Cluster for LocalCluster {
    fn life(&self) -> NodeLife {
        self.life
    }

    fn session_prefix(&self) -> u32 {
        self.session_prefix
    }

    fn state(&self) -> Arc<State> {
        self.log.lock().state.clone()
    }

    fn applied(&self) -> u64 {
        self.log.lock().index
    }

    async fn submit(&self, command: Command) -> Result<Outcome, SubmitError> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(SubmitError::Ended);
        }
        self.need_leader()?;
        if self.late.load(Ordering::Relaxed) {
            self.log.lock().under_way.push(command);
            return Err(SubmitError::Unknown);
        }
        Ok(self.apply(command))
    }

    async fn settled(&self, wait: SubmitId) -> Result<Outcome, SubmitError> {
        loop {
            let applied = self.applied.notified();
            match self.state().outcome_of(wait) {
                Some(Outcome::Waiting(_)) => applied.await,
                Some(outcome) => return Ok(outcome.clone()),
                None => return Err(SubmitError::Unknown),
            }
        }
    }

    async fn read_index(&self) -> Result<(), SubmitError> {
        self.need_leader()
    }

    async fn wait_applied(&self, index: u64) {
        while self.applied() < index {
            self.applied.notified().await;
        }
    }

    async fn ask(
        &self,
        peer: NodeId,
        request: PeerRequest,
        timeout: Duration,
    ) -> Result<PeerReply, PeerSilent> {
        match self.peers.get().filter(|_| peer == self.life.node) {
            Some(peers) => tokio::time::timeout(timeout, peers.handle(self.life, request))
                .await
                .map_err(|_| PeerSilent(peer)),
            None => Err(PeerSilent(peer)),
        }
    }

    fn report_stuck(&self, _life: NodeLife) {}

    async fn hand_over(&self) {}

    fn voters(&self) -> Vec<NodeId> {
        vec![self.life.node]
    }

    fn node_lease(&self) -> &Arc<NodeLease> {
        &self.lease
    }
}
