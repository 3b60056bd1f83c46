//! The node's own clocks. Node leases are counted on the boot clock: one that stands still, goes
//! back or runs at another pace lets a node serve after others took over. The wall clock serves
//! file times only.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::finding::{Finding, millis};
use crate::ports::Clock;

/// How long the clock is watched.
const WATCH: Duration = Duration::from_millis(100);
/// Readings in a row, in which time must not go back.
const READINGS: u32 = 1_000;
/// How far the boot clock may be off while it is watched: a tenth, and what a busy machine takes
/// between two readings.
const PACE_SLACK: Duration = Duration::from_millis(25);
/// A wall clock that moves by more than this against the boot clock is being set.
const STEP_MAX: Duration = Duration::from_millis(50);
/// 2024-01-01: no wall clock that is set shows less.
const OLDEST: Duration = Duration::from_secs(1_704_067_200);

/// What was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockFigures {
    /// The boot clock at the end; zero if there is none.
    pub boot: Duration,
    /// Readings of it that were earlier than the one before.
    pub backward: u32,
    /// By how much it advanced...
    pub advanced: Duration,
    /// ... while this much passed by the timer.
    pub passed: Duration,
    pub wall: Duration,
    /// By how much wall and boot clock disagree about the time between.
    pub wall_step: Duration,
}

/// Watches the clock for a tenth of a second.
pub async fn probe(clock: &dyn Clock) -> ClockFigures {
    let (begun, boot, wall) = (Instant::now(), clock.boot(), clock.wall());
    let (mut backward, mut last) = (0, boot);
    for _ in 0..READINGS {
        let now = clock.boot();
        backward += u32::from(now < last);
        last = now;
    }
    sleep(WATCH).await;
    let (boot_after, wall_after) = (clock.boot(), clock.wall());
    backward += u32::from(boot_after < last);
    let advanced = boot_after.saturating_sub(boot);
    ClockFigures {
        boot: boot_after,
        backward,
        advanced,
        passed: begun.elapsed(),
        wall: wall_after,
        // A wall clock that went back disagrees by all of that.
        wall_step: (wall + advanced).abs_diff(wall_after),
    }
}

/// Judges both clocks.
pub fn judge(figures: &ClockFigures) -> Vec<Finding> {
    vec![judge_boot(figures), judge_wall(figures)]
}

fn judge_boot(figures: &ClockFigures) -> Finding {
    const REMEDY: &str = "node leases are counted on CLOCK_BOOTTIME: do not run a node here before \
        the machine, its kernel or its hypervisor keeps that clock right";
    let ClockFigures { boot, backward, advanced, passed, .. } = *figures;
    let shown = format!(
        "up {} s; advanced {} in {}, {READINGS} readings in order",
        boot.as_secs(),
        millis(advanced),
        millis(passed)
    );
    let finding = Finding::ok("boot clock", shown);
    if boot.is_zero() {
        return finding.fail("there is no clock that counts from the host's boot", REMEDY);
    }
    if backward > 0 {
        return finding.fail(format!("it went back {backward} times"), REMEDY);
    }
    if advanced.abs_diff(passed) > passed / 10 + PACE_SLACK {
        return finding.fail("it runs at another pace than the kernel's timers", REMEDY);
    }
    finding
}

fn judge_wall(figures: &ClockFigures) -> Finding {
    let finding = Finding::ok("wall clock", format!("{} s since 1970", figures.wall.as_secs()));
    if figures.wall < OLDEST {
        return finding.fail(
            "it was never set: files would get times of another age",
            "set it, and run a time service (chrony, systemd-timesyncd)",
        );
    }
    if figures.wall_step > STEP_MAX {
        return finding.warn(
            format!("it was set by {} while it was watched", millis(figures.wall_step)),
            "let a time service slew it instead of setting it again and again",
        );
    }
    finding
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::super::finding::{Level, verdict};
    use super::*;
    use crate::clock::HostClock;
    use crate::testing::StillClock;

    fn good() -> ClockFigures {
        ClockFigures {
            boot: Duration::from_secs(77),
            backward: 0,
            advanced: Duration::from_millis(101),
            passed: Duration::from_millis(102),
            wall: Duration::from_secs(1_780_000_000),
            wall_step: Duration::from_micros(3),
        }
    }

    fn levels(figures: ClockFigures) -> [Level; 2] {
        let found = judge(&figures);
        [found[0].level, found[1].level]
    }

    #[test]
    fn figures_are_judged() {
        use Level::{Fail, Ok, Warn};
        assert_eq!(levels(good()), [Ok, Ok]);
        assert_eq!(levels(ClockFigures { boot: Duration::ZERO, ..good() }), [Fail, Ok]);
        assert_eq!(levels(ClockFigures { backward: 1, ..good() }), [Fail, Ok]);
        let slow = ClockFigures { advanced: Duration::from_millis(50), ..good() };
        assert_eq!(levels(slow), [Fail, Ok]);
        let fast = ClockFigures { advanced: Duration::from_millis(200), ..good() };
        assert_eq!(levels(fast), [Fail, Ok]);
        let unset = ClockFigures { wall: Duration::from_secs(60), ..good() };
        assert_eq!(levels(unset), [Ok, Fail]);
        let stepped = ClockFigures { wall_step: Duration::from_secs(2), ..good() };
        assert_eq!(levels(stepped), [Ok, Warn]);
    }

    #[tokio::test]
    async fn the_clock_of_this_host_is_right() {
        let found = judge(&probe(&HostClock).await);
        assert_eq!(verdict(&found), Level::Ok, "{found:?}");
    }

    /// Goes back by a millisecond every hundredth time, and never reaches the wall.
    #[derive(Default)]
    struct Restless(AtomicU64);

    impl Clock for Restless {
        fn boot(&self) -> Duration {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            let back = if count % 100 == 99 { 1_000_000 } else { 0 };
            HostClock.boot() - Duration::from_nanos(back)
        }

        fn wall(&self) -> Duration {
            HostClock.wall() + Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    #[tokio::test]
    async fn clocks_that_stand_still_or_go_back_are_found() {
        let still = probe(&StillClock).await;
        assert_eq!(judge_boot(&still).level, Level::Fail, "{still:?}");
        let restless = probe(&Restless::default()).await;
        assert!(restless.backward > 0, "{restless:?}");
        assert_eq!(levels(restless), [Level::Fail, Level::Warn]);
    }
}
