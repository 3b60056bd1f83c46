//! The host's clocks.

use std::time::Duration;

use holdfast_cluster::ports::Clock;
use rustix::time::{ClockId, clock_gettime};

/// Linux's clocks. Neither call can fail for these two.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostClock;

impl Clock for HostClock {
    fn boot(&self) -> Duration {
        read(ClockId::Boottime)
    }

    fn wall(&self) -> Duration {
        read(ClockId::Realtime)
    }
}

/// A time before 1970 reads as 1970.
fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
