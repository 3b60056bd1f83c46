//! What unit tests stand a node on: a cluster of one node that applies commands at once, clocks
//! and random numbers that are the same in every run.

mod local_cluster;
mod log_capture;
mod panics;
mod wire_client;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use holdfast_cluster::command::{Command, ShareSettings, UserSettings};
use holdfast_proto::auth::ntlmv2::NtHash;
use holdfast_proto::types::VolumeId;

pub(crate) use local_cluster::LocalCluster;
pub(crate) use log_capture::LogCapture;
pub(crate) use panics::PanicWatch;
pub(crate) use wire_client::{SESSION_KEY, WireClient};

use crate::effects;
use crate::node::Node;
use crate::opens_keeper::OpensKeeper;
use crate::peers::Peers;
use crate::ports::{Clock, Random, Vfs};

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
    node.set_opens_gate(Arc::new(OpensKeeper::new(&node)));
    let peers = Arc::new(Peers::default());
    peers.serve(&node);
    cluster.set_peers(peers);
    tokio::spawn(carry_out_effects(Arc::downgrade(&node), cluster.clone()));
    (node, cluster)
}

/// Does what entries of the log make the node do.
async fn carry_out_effects(node: Weak<Node>, cluster: Arc<LocalCluster>) {
    loop {
        for (id, effect) in cluster.next_effects().await {
            let Some(node) = node.upgrade() else { return };
            effects::take(&node, id, effect);
        }
    }
}
