//! A machine's clock: none runs quite as the world's.

use std::time::Duration;

use holdfast_cluster::ports::Clock;

/// Counts from some moment before the world began, and a little too fast or too slow.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    /// What it showed when the world began.
    pub since: Duration,
    /// Millionths faster than the world.
    pub skew: i64,
}

/// The world's wall clock when it begins: some day in 2026.
const WALL: Duration = Duration::from_secs(1_790_000_000);

impl SimClock {
    fn elapsed(self) -> Duration {
        let nanos = madsim::time::TimeHandle::current().elapsed().as_nanos() as i128;
        Duration::from_nanos((nanos + nanos * i128::from(self.skew) / 1_000_000) as u64)
    }
}

impl Clock for SimClock {
    fn boot(&self) -> Duration {
        self.since + self.elapsed()
    }

    fn wall(&self) -> Duration {
        WALL + self.elapsed()
    }
}
