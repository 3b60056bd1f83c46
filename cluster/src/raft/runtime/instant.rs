//! Instants of Raft's clock.
//!
//! Outside the simulator this is tokio's clock. In the simulator, which has one clock for all nodes,
//! a node's clock may be made to run fast or slow by parts per million, as real clocks do: readings
//! are scaled, and sleeps are scaled back.
//!
//! Invariant: one node's readings never go backwards while its skew is unchanged.

use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use openraft::Instant;

/// A reading of this node's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterInstant(tokio::time::Instant);

impl Instant for ClusterInstant {
    fn now() -> Self {
        Self(skew::reading(tokio::time::Instant::now()))
    }
}

/// How long the world's clock runs while this node's clock runs for `duration`.
pub(super) fn to_real(duration: Duration) -> Duration {
    skew::to_real(duration)
}

/// How long to sleep, on the world's clock, until this node's clock shows `deadline`; zero if past.
pub(super) fn until(deadline: ClusterInstant) -> Duration {
    to_real(deadline.saturating_duration_since(ClusterInstant::now()))
}

impl Add<Duration> for ClusterInstant {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0 + rhs)
    }
}

impl AddAssign<Duration> for ClusterInstant {
    fn add_assign(&mut self, rhs: Duration) {
        self.0 += rhs;
    }
}

impl Sub<Duration> for ClusterInstant {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0 - rhs)
    }
}

impl SubAssign<Duration> for ClusterInstant {
    fn sub_assign(&mut self, rhs: Duration) {
        self.0 -= rhs;
    }
}

impl Sub for ClusterInstant {
    type Output = Duration;
    fn sub(self, rhs: Self) -> Duration {
        self.0.saturating_duration_since(rhs.0)
    }
}

#[cfg(not(madsim))]
mod skew {
    use std::time::Duration;
    use tokio::time::Instant;

    pub(super) fn reading(world: Instant) -> Instant {
        world
    }

    pub(super) fn to_real(duration: Duration) -> Duration {
        duration
    }
}

#[cfg(madsim)]
mod skew {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::time::Duration;

    use madsim::task::NodeId;
    use tokio::time::Instant;

    const MILLION: u128 = 1_000_000;
    /// A clock at half or double speed is the most that is allowed.
    const LIMIT: i64 = 500_000;

    #[derive(Default)]
    struct Skews {
        /// When the first skew was set; all clocks agree there.
        origin: Option<Instant>,
        /// Parts per million that a node's clock gains; nodes not named here keep the world's time.
        ppm: BTreeMap<NodeId, i64>,
    }

    thread_local! {
        // A simulated world lives on one thread.
        static SKEWS: RefCell<Skews> = RefCell::default();
    }

    /// Lets `node`'s clock gain `ppm` parts per million (lose, if negative) from the first call in
    /// this world on. Values beyond ±500 000 are cut.
    pub fn set_clock_skew(node: NodeId, ppm: i64) {
        SKEWS.with_borrow_mut(|skews| {
            skews.origin.get_or_insert_with(Instant::now);
            skews.ppm.insert(node, ppm.clamp(-LIMIT, LIMIT));
        });
    }

    /// All clocks keep the world's time again. To be called between two worlds of one thread.
    pub fn clear_clock_skews() {
        SKEWS.take();
    }

    /// This node's speed in millionths of the world's, and the instant at which all clocks agreed.
    fn speed() -> Option<(u128, Instant)> {
        SKEWS.with_borrow(|skews| {
            let ppm = *skews.ppm.get(&madsim::plugin::node())?;
            Some(((MILLION as i64 + ppm) as u128, skews.origin?))
        })
    }

    fn scale(duration: Duration, numerator: u128, denominator: u128) -> Duration {
        let nanos = duration.as_nanos() * numerator / denominator;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    pub(super) fn reading(world: Instant) -> Instant {
        match speed() {
            Some((speed, origin)) => {
                origin + scale(world.saturating_duration_since(origin), speed, MILLION)
            }
            None => world,
        }
    }

    pub(super) fn to_real(duration: Duration) -> Duration {
        match speed() {
            // Rounded up, so that the node's clock has passed its deadline when the sleep ends.
            Some((speed, _)) => {
                scale(duration, MILLION, speed).saturating_add(Duration::from_nanos(1))
            }
            None => duration,
        }
    }
}

#[cfg(madsim)]
pub use skew::{clear_clock_skews, set_clock_skew};
