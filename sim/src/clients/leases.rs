//! What a client knows of its leases, and what it keeps under them: blocks it has read or written,
//! as long as the lease says READ.

use std::collections::BTreeMap;

use holdfast_proto::msg::create::LeaseContext;
use holdfast_proto::msg::oplock_break::LeaseBreakNotification;
use holdfast_proto::types::{LeaseKey, LeaseState};

use crate::event::{ClientEvent, Stamp};

#[derive(Default)]
struct Lease {
    state: LeaseState,
    /// None until the server told it.
    epoch: Option<u16>,
    /// Counts what may have made cached data old.
    turns: u64,
    cached: BTreeMap<u32, Stamp>,
}

/// A client's leases, by key.
#[derive(Default)]
pub struct Leases(BTreeMap<LeaseKey, Lease>);

impl Leases {
    /// A lease will be asked for.
    pub fn expect(&mut self, key: LeaseKey) {
        self.0.entry(key).or_default();
    }

    pub fn forget(&mut self, key: LeaseKey) {
        self.0.remove(&key);
    }

    /// A CREATE's answer tells the lease.
    pub fn granted(&mut self, context: &LeaseContext, tell: impl Fn(ClientEvent)) {
        let Some(lease) = self.0.get_mut(&context.lease_key) else { return };
        let epoch = context.v2.map_or(0, |v2| v2.epoch);
        let (key, state) = (context.lease_key, context.lease_state);
        tell(ClientEvent::LeaseSeen { key, state, epoch });
        if lease.epoch.is_none_or(|known| epoch >= known) {
            lease.state = state;
            lease.epoch = Some(epoch);
        }
        lease.turn();
    }

    /// A notification came. Returns the state to acknowledge; none for a lease that nobody knows.
    pub fn broken(
        &mut self,
        notification: &LeaseBreakNotification,
        tell: impl Fn(ClientEvent),
    ) -> Option<LeaseState> {
        let lease = self.0.get_mut(&notification.lease_key)?;
        let epoch = notification.new_epoch;
        tell(ClientEvent::BreakReceived {
            key: notification.lease_key,
            from: notification.current_lease_state,
            to: notification.new_lease_state,
            epoch,
        });
        if lease.epoch.is_none_or(|known| epoch > known) {
            lease.state = notification.new_lease_state;
            lease.epoch = Some(epoch);
        }
        lease.turn();
        Some(lease.state)
    }

    /// The connection was lost: nothing that is kept can be relied on any more.
    pub fn purge(&mut self) {
        self.0.values_mut().for_each(Lease::turn);
    }

    pub fn epoch(&self, key: LeaseKey) -> u16 {
        self.0.get(&key).and_then(|lease| lease.epoch).unwrap_or(0)
    }

    /// The state, as far as it is known.
    pub fn state(&self, key: LeaseKey) -> LeaseState {
        self.0.get(&key).map(|lease| lease.state).unwrap_or_default()
    }

    /// To be compared when an answer is there: what was read across a turn must not be kept.
    pub fn turns(&self, key: LeaseKey) -> u64 {
        self.0.get(&key).map_or(0, |lease| lease.turns)
    }

    /// What is kept of a block.
    pub fn cached(&self, key: LeaseKey, block: u32) -> Option<Stamp> {
        self.0.get(&key)?.cached.get(&block).copied()
    }

    /// Keeps a block if the lease allows it and nothing came in between.
    pub fn keep(&mut self, key: LeaseKey, block: u32, stamp: Stamp, turns: u64) {
        if let Some(lease) = self.0.get_mut(&key)
            && lease.turns == turns
            && lease.state.contains(LeaseState::READ)
        {
            lease.cached.insert(block, stamp);
        }
    }

    /// The client is about to change the block itself.
    pub fn drop_block(&mut self, key: LeaseKey, block: u32) {
        if let Some(lease) = self.0.get_mut(&key) {
            lease.cached.remove(&block);
        }
    }
}

impl Lease {
    fn turn(&mut self) {
        self.turns += 1;
        self.cached.clear();
    }
}
