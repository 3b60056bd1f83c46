//! How fast a node notices that something is wrong, and which settings contradict each other.

use std::time::Duration;

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
    /// How long a node may touch the storage after it asked for the right.
    pub node_lease: Duration,
    /// How often it asks again.
    pub lease_renewal: Duration,
    /// Without an answer for this long, a node takes itself to have no quorum.
    pub no_quorum: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(250),
            election_max: Duration::from_millis(500),
            node_lease: Duration::from_millis(1500),
            lease_renewal: Duration::from_millis(250),
            no_quorum: Duration::from_millis(3000),
        }
    }
}

impl Timers {
    /// Reads `[timers]`; what is left out has its default.
    pub(super) fn read(section: &Section<'_>) -> Option<Timers> {
        let or = Timers::default();
        let timer = |key, or: Duration| match section.absent(key) {
            true => {
                section.optional(key, |_| Ok(()));
                Some(or)
            }
            false => {
                section.optional(key, |value| value.number(10..=60_000)).map(Duration::from_millis)
            }
        };
        let heartbeat = timer("heartbeat_ms", or.heartbeat);
        let election_min = timer("election_min_ms", or.election_min);
        let election_max = timer("election_max_ms", or.election_max);
        let node_lease = timer("node_lease_ms", or.node_lease);
        let lease_renewal = timer("lease_renewal_ms", or.lease_renewal);
        let no_quorum = timer("no_quorum_ms", or.no_quorum);
        section.finish();
        let timers = Timers {
            heartbeat: heartbeat?,
            election_min: election_min?,
            election_max: election_max?,
            node_lease: node_lease?,
            lease_renewal: lease_renewal?,
            no_quorum: no_quorum?,
        };
        for (key, what) in timers.conflicts() {
            section.wrong(key, &what);
        }
        Some(timers)
    }

    /// The combinations that would make a healthy cluster fall apart, or a dead node look alive:
    /// the setting to change, and why.
    pub fn conflicts(&self) -> Vec<(&'static str, String)> {
        let mut conflicts = Vec::new();
        let mut demand = |holds: bool, key, what: String| {
            if !holds {
                conflicts.push((key, what));
            }
        };
        demand(
            self.heartbeat * 3 <= self.election_min,
            "heartbeat_ms",
            format!(
                "{} is too long: two lost heartbeats must not cause an election, so it is at most \
                 a third of election_min_ms, {}",
                self.heartbeat.as_millis(),
                self.election_min.as_millis() / 3
            ),
        );
        demand(
            self.election_min < self.election_max,
            "election_max_ms",
            format!(
                "{} leaves the nodes no time to differ in, so elections would tie; it must be \
                 longer than election_min_ms, {}",
                self.election_max.as_millis(),
                self.election_min.as_millis()
            ),
        );
        demand(
            self.lease_renewal * 3 <= self.node_lease,
            "lease_renewal_ms",
            format!(
                "{} is too long: a node is suspected after three misses, which must fit into its \
                 lease, so it is at most a third of node_lease_ms, {}",
                self.lease_renewal.as_millis(),
                self.node_lease.as_millis() / 3
            ),
        );
        let election = self.election_max * 2 + self.lease_renewal;
        demand(
            self.node_lease >= election,
            "node_lease_ms",
            format!(
                "{} is too short: the leases of healthy nodes must outlast the election of a new \
                 leader, so it is at least twice election_max_ms and one lease_renewal_ms, {}",
                self.node_lease.as_millis(),
                election.as_millis()
            ),
        );
        demand(
            self.no_quorum > self.node_lease,
            "no_quorum_ms",
            format!(
                "{} is too short: a node first loses its lease and then its listeners, so it must \
                 be longer than node_lease_ms, {}",
                self.no_quorum.as_millis(),
                self.node_lease.as_millis()
            ),
        );
        conflicts
    }

    /// The `[timers]` section.
    pub(super) fn to_toml(self) -> String {
        format!(
            "[timers]\nheartbeat_ms = {}\nelection_min_ms = {}\nelection_max_ms = {}\n\
             node_lease_ms = {}\nlease_renewal_ms = {}\nno_quorum_ms = {}\n",
            self.heartbeat.as_millis(),
            self.election_min.as_millis(),
            self.election_max.as_millis(),
            self.node_lease.as_millis(),
            self.lease_renewal.as_millis(),
            self.no_quorum.as_millis()
        )
    }
}
