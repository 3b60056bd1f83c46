//! A client that does nothing but hold many handles.

use holdfast_proto::types::LeaseState;

use super::handle::Purpose;
use super::worker::Worker;

impl Worker {
    /// Opens so many files of its own persistently.
    pub async fn hold(&mut self, files: u64) -> Result<(), String> {
        for number in 0..files {
            let file = self.around.held_file(self.id.0, number);
            let opened = self.open(file.clone(), Purpose::Own, LeaseState::NONE).await;
            opened.ok_or_else(|| format!("{file} cannot be opened"))?;
        }
        Ok(())
    }

    /// Returns when every handle is bound to a link that stands, having seen the one break that
    /// they were bound to.
    pub async fn have_everything(&mut self) {
        self.until_cut_off().await;
        self.ensure_link().await;
        self.at("has everything");
    }
}
