//! Ends the process when it has lost the right to touch the storage and may still be doing so.
//!
//! It is a thread of its own, outside the async runtime, because a runtime that hangs is one of
//! the things that it guards against. A process that is frozen as a whole cannot guard itself:
//! that is the fencer's part.

use std::time::Duration;

use holdfast_cluster::handle::NodeLease;

/// How long storage operations may outlast the node's lease.
pub const DRAIN_WAIT: Duration = Duration::from_secs(1);
/// How often the watchdog looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why the process must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doom {
    /// The cluster has been given proof, or soon is, that this incarnation ended.
    #[error("this incarnation was fenced")]
    Fenced,
    /// Storage operations are still under way 1 s after the lease ended.
    #[error("storage operations have not drained since the node lease ended")]
    NotDrained,
}

/// Looks once: pure, so that the simulation's watchdog decides alike.
pub fn look(lease: &NodeLease, in_flight: usize, now: Duration) -> Option<Doom> {
    if lease.is_fenced() {
        return Some(Doom::Fenced);
    }
    let deadline = lease.deadline();
    // Before the first lease nothing can be in flight.
    let over = !deadline.is_zero() && now >= deadline + DRAIN_WAIT;
    (over && in_flight > 0).then_some(Doom::NotDrained)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_what_may_do_harm_is_ended() {
        let lease = NodeLease::default();
        assert_eq!(look(&lease, 0, SECOND * 50), None, "before the first lease");
        lease.extend_to(SECOND * 100);
        assert_eq!(look(&lease, 3, SECOND * 99), None, "the lease holds");
        assert_eq!(look(&lease, 3, SECOND * 100), None, "it may drain");
        assert_eq!(look(&lease, 0, SECOND * 102), None, "it has drained");
        assert_eq!(look(&lease, 1, SECOND * 101), Some(Doom::NotDrained));
        lease.extend_to(SECOND * 103);
        assert_eq!(look(&lease, 1, SECOND * 102), None, "renewed");
        lease.set_fenced();
        assert_eq!(look(&lease, 0, SECOND * 102), Some(Doom::Fenced));
    }
}
