//! What tests of whole nodes share: clocks, randomness, a fencer that knows the world, and a
//! server that answers every question.

#![allow(dead_code)] // each test binary uses its part

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::command::{
    Command, FenceProof, NodeIdentity, NodeLife, ShareSettings, Timers,
};
use holdfast_cluster::peer::{PeerHandler, PeerReply, PeerRequest};
use holdfast_cluster::ports::{Clock, FenceError, Fencer, Random};
use holdfast_cluster::raft::{Founding, NodeConfig, PeerSecurity, Snapshots, Timing};
use holdfast_proto::types::{Guid, NodeId, VolumeId};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Counts from the moment at which the test began.
pub struct TestClock(pub Instant);

impl Clock for TestClock {
    fn boot(&self) -> Duration {
        self.0.elapsed() + Duration::from_secs(100)
    }

    fn wall(&self) -> Duration {
        self.boot()
    }
}

/// A generator that needs no operating system; seeded differently for each boot.
pub struct TestRandom(pub Mutex<u64>);

impl Random for TestRandom {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.0.lock();
        for byte in out {
            *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *byte = (*state >> 56) as u8;
        }
    }
}

/// Which incarnations the test has ended.
#[derive(Default)]
pub struct Graveyard {
    pub ended: Mutex<BTreeSet<NodeLife>>,
    pub prepared: Mutex<BTreeSet<NodeLife>>,
    /// Incarnations that a fencer ended; the test is told, and stops them.
    pub killed: Mutex<Vec<NodeLife>>,
    changed: Notify,
}

impl Graveyard {
    pub fn bury(&self, life: NodeLife) {
        self.ended.lock().insert(life);
        self.changed.notify_waiters();
    }
}

/// A fencer that can end anybody, if the test lets it.
pub struct TestFencer {
    pub graveyard: Arc<Graveyard>,
    /// Sees incarnations end by themselves, as on one host.
    pub sees: bool,
    /// May kill who has not ended.
    pub kills: bool,
}

#[async_trait]
impl Fencer for TestFencer {
    fn prepare(&self, life: NodeLife, _identity: &NodeIdentity) {
        self.graveyard.prepared.lock().insert(life);
    }

    async fn ended(&self, life: NodeLife, _identity: &NodeIdentity) {
        loop {
            let changed = self.graveyard.changed.notified();
            if self.sees && self.graveyard.ended.lock().contains(&life) {
                return;
            }
            changed.await;
        }
    }

    async fn fence(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceProof, FenceError> {
        if !self.graveyard.ended.lock().contains(&life) {
            if !self.kills {
                return Err(FenceError::NoProof(life, "it runs".to_owned()));
            }
            self.graveyard.killed.lock().push(life);
            self.graveyard.bury(life);
        }
        Ok(FenceProof::ProcessEnded { pid: identity.pid, lock_dropped: true })
    }
}

/// Answers `Done` to everything.
pub struct Agreeable;

#[async_trait]
impl PeerHandler for Agreeable {
    async fn handle(&self, _from: NodeLife, request: PeerRequest) -> PeerReply {
        match request {
            PeerRequest::EndSession { .. } | PeerRequest::Withdraw | PeerRequest::ServeAgain => {
                PeerReply::NotNow
            }
            _ => PeerReply::Done,
        }
    }
}

pub fn founding(members: BTreeMap<NodeId, String>) -> Founding {
    Founding {
        cluster_id: Guid([7; 16]),
        server_guid: Guid([8; 16]),
        name: "test".to_owned(),
        timers: Timers::default(),
        members,
    }
}

pub fn config(node: NodeId, address: &str, boot: u64) -> NodeConfig {
    NodeConfig {
        node,
        identity: NodeIdentity {
            name: format!("node{}", node.0),
            peer_address: address.to_owned(),
            boot_id: "host".to_owned(),
            pid: boot as u32,
            ..NodeIdentity::default()
        },
        #[cfg(not(madsim))]
        security: PeerSecurity::Loopback,
        #[cfg(madsim)]
        security: PeerSecurity::Simulated,
        timing: Timing::default(),
        snapshots: Snapshots { every: 100, keep: 20, ..Snapshots::default() },
    }
}

/// A command whose effect is easy to see: a share of that name.
pub fn put_share(name: &str) -> Command {
    Command::PutShare {
        settings: ShareSettings {
            name: name.to_owned(),
            comment: String::new(),
            volume: VolumeId(1),
            path: String::new(),
            continuously_available: true,
            encrypt: false,
            read_only: false,
            ca_timeout_millis: 60_000,
        },
        replace: true,
    }
}

/// Shows what nodes say when `RUST_LOG` asks for it.
pub fn show_log() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_test_writer()
        .try_init();
}
