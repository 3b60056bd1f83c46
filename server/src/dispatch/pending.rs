//! A request under way: its interim response and its cancellation ([MS-SMB2] 3.3.4.2,
//! 3.3.5.16).

use crate::signal::Signal;

/// Shared by the handler, which waits, and the dispatcher, which answers and cancels.
#[derive(Debug)]
pub struct Pending {
    /// What the request counts as, in credits.
    pub charge: u32,
    waiting: Signal,
    cancelled: Signal,
}

impl Pending {
    /// A request that has just begun and counts as that many credits.
    pub fn new(charge: u32) -> Pending {
        Pending { charge, waiting: Signal::default(), cancelled: Signal::default() }
    }

    /// The interim response is due now.
    pub fn will_wait(&self) {
        self.waiting.raise();
    }

    /// Returns once the handler said that it waits.
    pub async fn waiting(&self) {
        self.waiting.wait().await;
    }

    /// CANCEL came, or the connection went.
    pub fn cancel(&self) {
        self.cancelled.raise();
    }

    /// True once that happened.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_raised()
    }

    /// Returns once that happened.
    pub async fn cancelled(&self) {
        self.cancelled.wait().await;
    }
}
