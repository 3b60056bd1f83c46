//! The host's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast_cluster::ports::Clock;
use rustix::time::{ClockId, clock_gettime};

/// Linux's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostClock;

impl Clock for HostClock {
    fn boot(&self) -> Duration {
        read(ClockId::Boottime)
    }

    /// A time before 1970 reads as 1970. The C library is asked, so that whoever runs a node under
    /// another date, by libfaketime, is believed.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
