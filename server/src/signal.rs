//! A flag that is raised once and can be waited for.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Raised once, never lowered. Any number of tasks may wait.
#[derive(Debug, Default)]
pub struct Signal {
    raised: AtomicBool,
    notify: Notify,
}

impl Signal {
    /// Not raised.
    pub fn new() -> Signal {
        Signal::default()
    }

    /// Raises it; true if it was not raised before.
    pub fn raise(&self) -> bool {
        let first = !self.raised.swap(true, Ordering::AcqRel);
        self.notify.notify_waiters();
        first
    }

    /// True once it is raised.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Returns once it is raised.
    pub async fn wait(&self) {
        while !self.is_raised() {
            // Made before the flag is read again, so that a raise in between wakes it.
            let notified = self.notify.notified();
            if self.is_raised() {
                return;
            }
            notified.await;
        }
    }
}
