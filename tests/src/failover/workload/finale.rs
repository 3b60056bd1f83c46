//! The end of a round: what was acknowledged is read back, locks are tried by a third client while
//! their owners still hold them, everything is closed, and read once more by someone who has
//! nothing cached.

use holdfast_proto::types::LeaseState;

use super::super::history::HandleId;
use super::files::{BLOCKS, LOCKED_BLOCK, SHARED_FILES};
use super::handle::Purpose;
use super::locking::LockAct;
use super::worker::Worker;

impl Worker {
    /// Has every handle back and reads all that is its own; its locks stay.
    pub async fn come_to_rest(&mut self) {
        self.ensure_link().await;
        for handle in self.of(Purpose::Own) {
            for block in 0..BLOCKS {
                self.read(handle, block).await;
            }
        }
        for handle in self.of(Purpose::Created) {
            self.read(handle, 0).await;
        }
    }

    /// The third client: nothing that others have locked may be had.
    pub async fn try_every_lock(&mut self) {
        for client in 0..self.around.clients {
            let file = self.around.own_file(client);
            let Some(handle) = self.open(file, Purpose::Intruder, LeaseState::NONE).await else {
                continue;
            };
            if self.lock(handle, LOCKED_BLOCK, LockAct::Lock).await {
                self.lock(handle, LOCKED_BLOCK, LockAct::Unlock).await;
            }
            self.write(handle, LOCKED_BLOCK).await;
            self.close(handle).await;
        }
    }

    /// Shows that its locks were its own all the time, then gives everything up and logs off by
    /// leaving.
    pub async fn end(&mut self) {
        for handle in self.of(Purpose::Own) {
            self.write(handle, LOCKED_BLOCK).await;
        }
        let handles: Vec<HandleId> = self.handles.keys().copied().collect();
        for id in handles {
            let locks = self.handles.get(&id).map(|handle| handle.locks.clone());
            for block in locks.into_iter().flatten() {
                self.lock(id, block, LockAct::Unlock).await;
            }
            self.close(id).await;
        }
        self.drop_link();
        self.at("done");
    }

    /// The third client again, when all others have gone: everything is there, and whole.
    pub async fn read_everything(&mut self) {
        let own = (0..self.around.clients).map(|client| self.around.own_file(client));
        let shared = (0..SHARED_FILES).map(|number| self.around.shared_file(number));
        let files: Vec<String> = own.chain(shared).collect();
        for file in files {
            let Some(handle) = self.open(file, Purpose::Shared, LeaseState::NONE).await else {
                continue;
            };
            for block in 0..BLOCKS {
                self.read(handle, block).await;
            }
            self.close(handle).await;
        }
        self.drop_link();
        self.at("done");
    }
}
