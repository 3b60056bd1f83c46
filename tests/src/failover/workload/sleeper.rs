//! A client that holds handles for a time that it chose, and stays away.

use std::time::Duration;

use holdfast_proto::types::FileTime;

use super::super::history::At;
use super::worker::Worker;

impl Worker {
    /// Opens files that are to outlive its connection by `timeout`, and leaves.
    pub async fn fall_asleep(&mut self, files: u64, timeout: Duration) -> Result<(), String> {
        self.timeout = timeout.as_millis() as u32;
        self.hold(files).await?;
        self.drop_link();
        self.at("asleep");
        Ok(())
    }

    /// Comes back and asks for everything, when nothing may be gone yet or, `late`, all must be.
    /// When it began to ask, and the clock of the node that it came to.
    pub async fn wake_up(&mut self, late: bool) -> (At, Option<FileTime>) {
        self.is_late = late;
        let asked = self.now();
        self.ensure_link().await;
        let clock = self.link.as_ref().map(|link| link.clock);
        self.end().await;
        (asked, clock)
    }
}
