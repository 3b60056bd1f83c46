//! What unit tests stand a node on: a cluster of one node that applies commands at once, clocks
//! and random numbers that are the same in every run.

mod local_cluster;
mod wire_client;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::command::{Command, OpenRef, ShareSettings, UserSettings};
use holdfast_cluster::outcome::Duty;
use holdfast_proto::auth::ntlmv2::NtHash;
use holdfast_proto::types::{OpenId, VolumeId};

pub(crate) use local_cluster::LocalCluster;
pub(crate) use wire_client::WireClient;

use crate::node::Node;
use crate::ports::{Clock, Random, Vfs};
use crate::session::{LocalOpen, OpensGate};

/// A clock that stands still.
#[derive(Debug, Default)]
pub(crate) struct StillClock;

impl Clock for StillClock {
    fn boot(&self) -> Duration {
        Duration::from_secs(1_000)
    }

    fn wall(&self) -> Duration {
        Duration::from_secs(1_700_000_000)
    }
}

/// Numbers that look random and are the same in every run.
#[derive(Debug, Default)]
pub(crate) struct CountedRandom(AtomicU64);

impl Random for CountedRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = count.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}

/// A gate with nothing behind it.
#[derive(Debug, Default)]
pub(crate) struct OpenGate;

#[async_trait]
impl OpensGate for OpenGate {
    async fn seal(&self, _opens: &[Arc<LocalOpen>]) {}

    async fn may_answer(&self, _open: OpenRef) -> bool {
        true
    }

    async fn ended(&self, _opens: Vec<Arc<LocalOpen>>, _: &[OpenId], _: Vec<Duty>) {}
}

/// The user that every test cluster has.
pub(crate) const USER: &str = "alice";
/// Her password.
pub(crate) const PASSWORD: &str = "secret";

/// A node of a cluster of its own with the user [`USER`] and the share `data` on volume 1.
pub(crate) fn node(volumes: BTreeMap<VolumeId, Arc<dyn Vfs>>) -> (Arc<Node>, Arc<LocalCluster>) {
    let cluster = Arc::new(LocalCluster::new());
    let settings = UserSettings {
        name: USER.to_owned(),
        nt_hash: *NtHash::of_password(PASSWORD).expose(),
        disabled: false,
    };
    cluster.apply(Command::PutUser { settings, replace: false });
    for (name, encrypt) in [("data", false), ("vault", true)] {
        let settings = ShareSettings {
            name: name.to_owned(),
            comment: "for tests".to_owned(),
            volume: VolumeId(1),
            path: String::new(),
            continuously_available: true,
            encrypt,
            read_only: false,
            ca_timeout_millis: 0,
        };
        cluster.apply(Command::PutShare { settings, replace: false });
    }
    let clock = Arc::new(StillClock);
    let random = Arc::new(CountedRandom::default());
    let node = Arc::new(Node::new(cluster.clone(), volumes, clock, random));
    node.set_opens_gate(Arc::new(OpenGate));
    (node, cluster)
}
