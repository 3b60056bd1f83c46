//! How fast a node notices that something is wrong, and which settings contradict each other.

use std::time::Duration;

use holdfast_cluster::raft::{NODE_LEASE, NODE_LEASE_RENEWAL};

use super::reader::Section;

/// The timers of one node. All nodes of a cluster should have the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timers {
    /// How often a leader shows that it is there.
    pub heartbeat: Duration,
    /// A follower that hears nothing stands for election after a time between this...
    pub election_min: Duration,
    /// ... and this.
    pub election_max: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(250),
            election_max: Duration::from_millis(500),
        }
    }
}

impl Timers {
    /// Reads `[timers]`; what is left out has its default.
    pub(super) fn read(section: &Section<'_>) -> Option<Timers> {
        let or = Timers::default();
        let timer = |key, default: Duration| {
            let left_out = section.absent(key);
            let read = section.optional(key, |value| value.number(10..=60_000));
            if left_out { Some(default) } else { read.map(Duration::from_millis) }
        };
        let heartbeat = timer("heartbeat_ms", or.heartbeat);
        let election_min = timer("election_min_ms", or.election_min);
        let election_max = timer("election_max_ms", or.election_max);
        section.finish();
        let timers = Timers {
            heartbeat: heartbeat?,
            election_min: election_min?,
            election_max: election_max?,
        };
        for (key, what) in timers.conflicts() {
            section.wrong(key, &what);
        }
        Some(timers)
    }

    /// The combinations that would make a healthy cluster fall apart: the setting to change, and
    /// why.
    pub fn conflicts(&self) -> Vec<(&'static str, String)> {
        let mut conflicts = Vec::new();
        if self.heartbeat * 3 > self.election_min {
            let what = format!(
                "{} is too long: two lost heartbeats must not cause an election, so it is at most \
                 a third of election_min_ms, {}",
                self.heartbeat.as_millis(),
                self.election_min.as_millis() / 3
            );
            conflicts.push(("heartbeat_ms", what));
        }
        if self.election_min >= self.election_max {
            let what = format!(
                "{} leaves the nodes no time to differ in, so elections would tie; it must be \
                 longer than election_min_ms, {}",
                self.election_max.as_millis(),
                self.election_min.as_millis()
            );
            conflicts.push(("election_max_ms", what));
        }
        let longest = NODE_LEASE.saturating_sub(NODE_LEASE_RENEWAL) / 2;
        if self.election_max > longest {
            let what = format!(
                "{} is too long: the node leases of healthy nodes ({} ms, renewed every {} ms) \
                 must outlast the election of a new leader, so it is at most {}",
                self.election_max.as_millis(),
                NODE_LEASE.as_millis(),
                NODE_LEASE_RENEWAL.as_millis(),
                longest.as_millis()
            );
            conflicts.push(("election_max_ms", what));
        }
        conflicts
    }

    /// The `[timers]` section.
    pub(super) fn to_toml(self) -> String {
        format!(
            "[timers]\nheartbeat_ms = {}\nelection_min_ms = {}\nelection_max_ms = {}\n",
            self.heartbeat.as_millis(),
            self.election_min.as_millis(),
            self.election_max.as_millis()
        )
    }
}
