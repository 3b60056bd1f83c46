//! A node's settings, as far as the cluster needs them.

use std::time::Duration;

use holdfast_proto::types::NodeId;
use openraft::{Config, SnapshotPolicy};

use super::network::{MAX_APPEND_ENTRIES, PeerSecurity};
use crate::command::NodeIdentity;
use crate::planted::{self, PlantedBug};

/// How a node takes part in its cluster.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Which node this is; must be the one that the folder was made for.
    pub node: NodeId,
    /// What the join says about it.
    pub identity: NodeIdentity,
    /// How the nodes know each other.
    pub security: PeerSecurity,
    pub timing: Timing,
    pub snapshots: Snapshots,
}

/// Raft's timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    pub heartbeat: Duration,
    pub election_min: Duration,
    pub election_max: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(250),
            election_max: Duration::from_millis(500),
        }
    }
}

/// When snapshots are made, and how much of the log stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Snapshots {
    /// A snapshot is made after this many entries.
    pub every: u64,
    /// Entries before the snapshot that stay, for nodes that were away for a short time.
    pub keep: u64,
    /// The log's size above which entries go earlier, and snapshots are made earlier, in bytes. The
    /// last segment and what arrives while a snapshot is made come on top.
    pub log_bytes: u64,
}

impl Default for Snapshots {
    fn default() -> Snapshots {
        Snapshots { every: 20_000, keep: 5_000, log_bytes: 256 << 20 }
    }
}

impl NodeConfig {
    /// As Raft wants them.
    ///
    /// # Errors
    /// The timers contradict each other.
    pub fn raft(&self) -> Result<Config, openraft::ConfigError> {
        let millis = |duration: Duration| duration.as_millis() as u64;
        let config = Config {
            cluster_name: "holdfast".to_owned(),
            heartbeat_interval: millis(self.timing.heartbeat),
            election_timeout_min: millis(self.timing.election_min),
            election_timeout_max: millis(self.timing.election_max),
            enable_pre_vote: Some(true),
            // A leader that starts again in its old term uses log ids again that it had given to
            // entries which it lost with its last unsynced writes.
            enable_leader_restore: match planted::is(PlantedBug::EnableLeaderRestore) {
                true => None,
                false => Some(false),
            },
            max_payload_entries: MAX_APPEND_ENTRIES,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshots.every),
            max_in_snapshot_log_to_keep: self.snapshots.keep,
            replication_lag_threshold: self.snapshots.every + self.snapshots.keep,
            install_snapshot_timeout: 60_000,
            backoff: "50ms 100ms 200ms ..400ms".to_owned(),
            ..Config::default()
        };
        config.validate()
    }
}
