//! Bugs that can be planted on purpose, so that the simulator can show that it finds each of them.
//!
//! Without the cargo feature `planted`, [`is`] is a constant `false` and the compiler removes every
//! planted branch. With it, bugs are chosen at run time, for the whole process: the simulator runs
//! one process per seed.
//!
//! Invariant: no bug is planted unless [`plant`] was called.

/// A bug that this code base once avoided on purpose, kept as a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PlantedBug {
    /// The log reports an append as durable before its sync has ended.
    AckBeforeSync,
    /// A disconnected open is given to another node before its old node is proved stopped.
    ReclaimBeforeFence,
    /// The node lease is checked when an operation is queued, not when it reaches the storage.
    LeaseCheckedAtEnqueue,
    /// A grant that limits other opens is answered before the other nodes have drained.
    NoGrantBarrier,
    /// A replayed create is not recognised by its CreateGuid.
    NoCreateGuidDedupe,
    /// Expiry of a disconnected open does not check the open's generation.
    ScavengerWithoutGeneration,
    /// The state machine iterates a hash map while it applies.
    MapOrderInApply,
    /// A reply leaves although the node lease ended while the operation ran.
    ReplyAfterLeaseEnd,
    /// Raft's own default: a restarted leader goes on leading in its old term.
    EnableLeaderRestore,
}

impl PlantedBug {
    /// All of them, in the order of declaration.
    pub const ALL: [PlantedBug; 9] = [
        PlantedBug::AckBeforeSync,
        PlantedBug::ReclaimBeforeFence,
        PlantedBug::LeaseCheckedAtEnqueue,
        PlantedBug::NoGrantBarrier,
        PlantedBug::NoCreateGuidDedupe,
        PlantedBug::ScavengerWithoutGeneration,
        PlantedBug::MapOrderInApply,
        PlantedBug::ReplyAfterLeaseEnd,
        PlantedBug::EnableLeaderRestore,
    ];

    /// The name used on the simulator's command line.
    pub fn name(self) -> &'static str {
        match self {
            PlantedBug::AckBeforeSync => "ack-before-sync",
            PlantedBug::ReclaimBeforeFence => "reclaim-before-fence",
            PlantedBug::LeaseCheckedAtEnqueue => "lease-checked-at-enqueue",
            PlantedBug::NoGrantBarrier => "no-grant-barrier",
            PlantedBug::NoCreateGuidDedupe => "no-create-guid-dedupe",
            PlantedBug::ScavengerWithoutGeneration => "scavenger-without-generation",
            PlantedBug::MapOrderInApply => "map-order-in-apply",
            PlantedBug::ReplyAfterLeaseEnd => "reply-after-lease-end",
            PlantedBug::EnableLeaderRestore => "enable-leader-restore",
        }
    }

    /// The bug of that [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<PlantedBug> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }
}

/// Whether `bug` is planted in this process.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is(_bug: PlantedBug) -> bool {
    false
}

#[cfg(feature = "planted")]
mod chosen {
    use super::PlantedBug;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// One bit per bug, at the place of its discriminant.
    static CHOSEN: AtomicU32 = AtomicU32::new(0);

    /// Whether `bug` is planted in this process.
    pub fn is(bug: PlantedBug) -> bool {
        CHOSEN.load(Ordering::Relaxed) & (1 << bug as u8) != 0
    }

    /// Plants `bug` in this process, from now on.
    pub fn plant(bug: PlantedBug) {
        CHOSEN.fetch_or(1 << bug as u8, Ordering::Relaxed);
    }

    /// Removes all planted bugs.
    pub fn clear() {
        CHOSEN.store(0, Ordering::Relaxed);
    }
}

#[cfg(feature = "planted")]
pub use chosen::{clear, is, plant};

#[cfg(test)]
mod tests {
    use super::PlantedBug;

    #[test]
    fn names_lead_back_to_their_bug() {
        for bug in PlantedBug::ALL {
            assert_eq!(PlantedBug::from_name(bug.name()), Some(bug));
        }
    }

    #[test]
    fn nothing_is_planted_by_default() {
        for bug in PlantedBug::ALL {
            assert!(!super::is(bug));
        }
    }
}
