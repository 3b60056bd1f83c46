//! The simulated disk as one boot of a node sees it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::SimOperation;
use super::medium::{Epoch, Medium};
use super::names::InodeNumber;
use crate::disk::{Disk, DiskFile, check_name};

/// How often a stalled sync looks whether it may go on.
const STALL_LOOK: Duration = Duration::from_millis(10);

/// One boot's view of a [`SimDisk`](super::SimDisk). Dead once the power is cut, the node is stopped
/// or the disk is booted again.
pub struct SimMount {
    boot: Boot,
}

#[derive(Clone)]
struct Boot {
    medium: Arc<Mutex<Medium>>,
    epoch: Epoch,
    /// Shortest and longest sync.
    latency: (Duration, Duration),
}

impl SimMount {
    pub(super) fn new(
        medium: Arc<Mutex<Medium>>,
        epoch: Epoch,
        latency: (Duration, Duration),
    ) -> Self {
        Self { boot: Boot { medium, epoch, latency } }
    }

    fn file(&self, inode: InodeNumber) -> Arc<dyn DiskFile> {
        Arc::new(SimFile { boot: self.boot.clone(), inode })
    }
}

impl Boot {
    /// Runs a call that changes something at once.
    fn change<T>(
        &self,
        operation: SimOperation,
        act: impl FnOnce(&mut Medium) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut medium = self.medium.lock();
        medium.enter(self.epoch, operation)?;
        let done = act(&mut medium);
        // The planned power cut comes after the change: it may be kept, lost or torn.
        medium.count(self.epoch)?;
        done
    }

    /// Lets the time of a sync pass.
    async fn wait(&self) {
        while self.medium.lock().stalled {
            tokio::time::sleep(STALL_LOOK).await;
        }
        let (shortest, longest) = self.latency;
        if longest.is_zero() {
            return;
        }
        let spread = longest.saturating_sub(shortest).as_nanos() as u64;
        let extra = self.medium.lock().random.below(spread + 1);
        tokio::time::sleep(shortest + Duration::from_nanos(extra)).await;
    }
}

#[async_trait]
impl Disk for SimMount {
    async fn list(&self) -> io::Result<Vec<String>> {
        let mut medium = self.boot.medium.lock();
        medium.enter(self.boot.epoch, SimOperation::Read)?;
        Ok(medium.names())
    }

    async fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        check_name(name)?;
        let mut medium = self.boot.medium.lock();
        medium.enter(self.boot.epoch, SimOperation::Read)?;
        Ok(self.file(medium.find(name)?))
    }

    async fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        check_name(name)?;
        self.boot.change(SimOperation::Name, |m| m.create(name)).map(|inode| self.file(inode))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check_name(from)?;
        check_name(to)?;
        self.boot.change(SimOperation::Name, |m| m.rename(from, to))
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        check_name(name)?;
        self.boot.change(SimOperation::Name, |m| m.remove(name))
    }

    async fn sync_dir(&self) -> io::Result<()> {
        let snapshot = {
            let medium = self.boot.medium.lock();
            medium.check_alive(self.boot.epoch)?;
            medium.begin_sync_names()
        };
        self.boot.wait().await;
        let mut medium = self.boot.medium.lock();
        medium.count(self.boot.epoch)?;
        match medium.enter(self.boot.epoch, SimOperation::SyncDir) {
            Ok(()) => {
                medium.end_sync_names(snapshot);
                Ok(())
            }
            Err(e) => {
                medium.fail_sync_names(snapshot);
                Err(e)
            }
        }
    }

    async fn free(&self) -> io::Result<u64> {
        let mut medium = self.boot.medium.lock();
        medium.enter(self.boot.epoch, SimOperation::Read)?;
        Ok(medium.free())
    }

    fn blocks(&self) -> bool {
        false
    }
}

struct SimFile {
    boot: Boot,
    inode: InodeNumber,
}

#[async_trait]
impl DiskFile for SimFile {
    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut medium = self.boot.medium.lock();
        medium.enter(self.boot.epoch, SimOperation::Read)?;
        Ok(medium.inode(self.inode)?.read(offset, length))
    }

    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.boot.change(SimOperation::Write, |m| m.write(self.inode, offset, bytes))
    }

    async fn sync_data(&self) -> io::Result<()> {
        let snapshot = {
            let mut medium = self.boot.medium.lock();
            medium.check_alive(self.boot.epoch)?;
            medium.begin_sync(self.inode)?
        };
        self.boot.wait().await;
        let mut medium = self.boot.medium.lock();
        // A power cut in the middle of a sync leaves everything undecided.
        medium.count(self.boot.epoch)?;
        let outcome = medium.enter(self.boot.epoch, SimOperation::Sync);
        let inode = medium.inode(self.inode)?;
        match outcome {
            Ok(()) => inode.end_sync(snapshot),
            Err(_) => inode.fail_sync(snapshot),
        }
        outcome
    }

    async fn set_len(&self, length: u64) -> io::Result<()> {
        self.boot.change(SimOperation::Write, |m| m.set_len(self.inode, length))
    }

    async fn length(&self) -> io::Result<u64> {
        let mut medium = self.boot.medium.lock();
        medium.enter(self.boot.epoch, SimOperation::Read)?;
        Ok(medium.inode(self.inode)?.cache().len() as u64)
    }
}
