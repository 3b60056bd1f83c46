//! Replicated time: elapsed leader time, as the log carries it.

use core::fmt;

/// Nanoseconds of elapsed leader time since the cluster began. Only `apply` moves it; time
/// without a leader does not count. It is not wall-clock time and must never be shown as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogTime(pub u64);

impl LogTime {
    /// The beginning of the cluster.
    pub const ZERO: LogTime = LogTime(0);
    /// The most that one entry may add: a leader that slept does not make time jump.
    pub const STEP_MAX_NANOS: u64 = 500_000_000;

    /// This time and `millis` more; saturates.
    pub const fn plus_millis(self, millis: u64) -> LogTime {
        LogTime(self.0.saturating_add(millis.saturating_mul(1_000_000)))
    }

    /// Whole milliseconds from `earlier` to this time; 0 if `earlier` is later.
    pub const fn millis_since(self, earlier: LogTime) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000_000
    }
}

impl fmt::Debug for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1000)
    }
}
