//! What a client knows of its leases, and what it keeps under them: blocks that it has read or
//! written, as long as the lease says READ ([MS-SMB2] 3.2.5.19.2).

use std::collections::BTreeMap;

use holdfast_proto::msg::create::LeaseContext;
use holdfast_proto::msg::oplock_break::LeaseBreakNotification;
use holdfast_proto::types::{LeaseKey, LeaseState};

/// What stands in a block: the stamp that its writer filled it with.
pub type CachedBlock = u64;

#[derive(Default)]
struct Lease {
    state: LeaseState,
    /// None until the server told it.
    epoch: Option<u16>,
    /// Counts what may have made cached data old.
    turns: u64,
    cached: BTreeMap<u32, CachedBlock>,
}

impl Lease {
    fn turn(&mut self) {
        self.turns += 1;
        self.cached.clear();
    }
}

/// A client's leases, by key.
#[derive(Default)]
pub struct Leases {
    known: BTreeMap<LeaseKey, Lease>,
    /// Notifications that concerned a lease of ours.
    pub breaks: u64,
}

impl Leases {
    /// A lease will be asked for.
    pub fn expect(&mut self, key: LeaseKey) {
        self.known.entry(key).or_default();
    }

    pub fn forget(&mut self, key: LeaseKey) {
        self.known.remove(&key);
    }

    /// A CREATE's answer tells the lease.
    pub fn granted(&mut self, context: &LeaseContext) {
        let Some(lease) = self.known.get_mut(&context.lease_key) else { return };
        let epoch = context.v2.map_or(0, |v2| v2.epoch);
        if lease.epoch.is_none_or(|known| epoch >= known) {
            lease.state = context.lease_state;
            lease.epoch = Some(epoch);
        }
        lease.turn();
    }

    /// A notification came. Returns the state to acknowledge; none for a lease that nobody knows.
    pub fn broken(&mut self, notification: &LeaseBreakNotification) -> Option<LeaseState> {
        let lease = self.known.get_mut(&notification.lease_key)?;
        self.breaks += 1;
        let epoch = notification.new_epoch;
        if lease.epoch.is_none_or(|known| epoch > known) {
            lease.state = notification.new_lease_state;
            lease.epoch = Some(epoch);
        }
        lease.turn();
        Some(lease.state)
    }

    /// The connection was lost: nothing that is kept can be relied on any more.
    pub fn purge(&mut self) {
        self.known.values_mut().for_each(Lease::turn);
    }

    pub fn epoch(&self, key: LeaseKey) -> u16 {
        self.known.get(&key).and_then(|lease| lease.epoch).unwrap_or(0)
    }

    /// The state, as far as it is known.
    pub fn state(&self, key: LeaseKey) -> LeaseState {
        self.known.get(&key).map(|lease| lease.state).unwrap_or_default()
    }

    /// To be compared when an answer is there: what was read across a turn must not be kept.
    pub fn turns(&self, key: LeaseKey) -> u64 {
        self.known.get(&key).map_or(0, |lease| lease.turns)
    }

    /// What is kept of a block.
    pub fn cached(&self, key: LeaseKey, block: u32) -> Option<CachedBlock> {
        self.known.get(&key)?.cached.get(&block).copied()
    }

    /// Keeps a block if the lease allows it and nothing came in between.
    pub fn keep(&mut self, key: LeaseKey, block: u32, content: CachedBlock, turns: u64) {
        if let Some(lease) = self.known.get_mut(&key)
            && lease.turns == turns
            && lease.state.contains(LeaseState::READ)
        {
            lease.cached.insert(block, content);
        }
    }

    /// The client is about to change the block itself.
    pub fn drop_block(&mut self, key: LeaseKey, block: u32) {
        if let Some(lease) = self.known.get_mut(&key) {
            lease.cached.remove(&block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_proto::msg::create::{LeaseFlags, LeaseV2};
    use holdfast_proto::types::Guid;

    #[test]
    fn nothing_is_kept_across_a_break() {
        let key = Guid([7; 16]);
        let mut leases = Leases::default();
        leases.expect(key);
        leases.granted(&LeaseContext {
            lease_key: key,
            lease_state: LeaseState::RWH,
            flags: LeaseFlags::NONE,
            v2: Some(LeaseV2 { epoch: 1, ..LeaseV2::default() }),
        });
        let before = leases.turns(key);
        leases.keep(key, 3, 33, before);
        assert_eq!(leases.cached(key, 3), Some(33));
        let notification = LeaseBreakNotification {
            lease_key: key,
            new_epoch: 2,
            current_lease_state: LeaseState::RWH,
            new_lease_state: LeaseState::RH,
            ..LeaseBreakNotification::default()
        };
        assert_eq!(leases.broken(&notification), Some(LeaseState::RH));
        assert_eq!(leases.cached(key, 3), None);
        leases.keep(key, 3, 33, before);
        assert_eq!(leases.cached(key, 3), None, "it was read before the break");
        leases.keep(key, 3, 34, leases.turns(key));
        assert_eq!(leases.cached(key, 3), Some(34));
    }
}
