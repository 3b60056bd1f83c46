//! The thread that keeps the watchdog.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_cluster::handle::NodeLease;
use holdfast_cluster::ports::Clock;

use super::watchdog::{LOOK_EVERY, look};

/// Starts the watchdog of this process. It lasts as long as the process.
#[allow(clippy::disallowed_methods, reason = "it must not depend on the runtime that it guards")]
pub fn start_watchdog(
    lease: Arc<NodeLease>,
    in_flight: Arc<AtomicUsize>,
    clock: Arc<dyn Clock>,
) -> io::Result<()> {
    let guard = move || {
        loop {
            if let Some(doom) = look(&lease, in_flight.load(Ordering::Acquire), clock.boot()) {
                tracing::error!(reason = %doom, "the watchdog ends this process");
                std::process::abort();
            }
            std::thread::sleep(LOOK_EVERY);
        }
    };
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(guard).map(drop)
}
