//! A disk that behaves as badly as a real one may.
//!
//! A [`SimDisk`] is the medium: it belongs to the test harness and outlives its node. Each start of
//! the node [boots](SimDisk::boot) it and gets a [`SimMount`], which is the [`Disk`](super::Disk)
//! that the node sees. What is written goes to a page cache; only a sync moves it to the durable
//! image. A [power cut](SimDisk::crash) throws the cache away, and for each 512-byte sector that was
//! not synced decides whether it was kept, lost or torn; what an extended file shows where nothing
//! was kept is zeros, noise or other files' old bytes; names that were not synced may be missing, and
//! removed ones may be back.
//!
//! Invariants:
//! - what was synced survives every power cut unchanged;
//! - a mount of an earlier boot changes nothing: its calls fail, even those that were under way;
//! - everything random comes from the seed, in the order of the calls.

mod inode;
mod medium;
mod mount;
mod names;
mod random;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use medium::Medium;
pub use mount::SimMount;
pub use random::SimRandom;

/// The unit in which a power cut keeps or loses, in bytes.
pub const SECTOR: usize = 512;

/// How long syncs take. Drawn for each boot, so that some boots of a run are slow throughout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimLatency {
    /// Shortest and longest sync of an ordinary boot.
    pub ordinary: (Duration, Duration),
    /// Shortest and longest sync of a slow boot.
    pub slow: (Duration, Duration),
    /// How many of 100 boots are slow.
    pub slow_percent: u32,
}

impl SimLatency {
    /// Nothing takes any time: for tests without a clock.
    pub const NONE: SimLatency = SimLatency {
        ordinary: (Duration::ZERO, Duration::ZERO),
        slow: (Duration::ZERO, Duration::ZERO),
        slow_percent: 0,
    };
}

impl Default for SimLatency {
    /// 0.2 to 3 ms, and 5 to 60 ms on every fourth boot.
    fn default() -> Self {
        Self {
            ordinary: (Duration::from_micros(200), Duration::from_millis(3)),
            slow: (Duration::from_millis(5), Duration::from_millis(60)),
            slow_percent: 25,
        }
    }
}

/// What power cuts took, since the disk was made. All of it had not been synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimLosses {
    /// Power cuts.
    pub crashes: u64,
    /// Sectors of which nothing was kept.
    pub sectors_lost: u64,
    /// Sectors of which a part was kept.
    pub sectors_torn: u64,
    /// Files whose new length was not kept, or kept in part.
    pub lengths_lost: u64,
    /// Created or renamed files whose new name was not kept.
    pub names_lost: u64,
    /// Removed files whose name is back.
    pub names_returned: u64,
}

impl SimLosses {
    /// Whether any power cut took anything.
    pub fn any(&self) -> bool {
        *self != SimLosses { crashes: self.crashes, ..SimLosses::default() }
    }
}

/// What a fault can be set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimOperation {
    /// Reading bytes.
    Read,
    /// Writing bytes, and changing a file's length.
    Write,
    /// Syncing a file. What was written before a failed sync is gone at the next power cut, even if a
    /// later sync succeeds.
    Sync,
    /// Creating, renaming and removing names.
    Name,
    /// Syncing names.
    SyncDir,
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    medium: Arc<Mutex<Medium>>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64, latency: SimLatency) -> Self {
        Self { medium: Arc::new(Mutex::new(Medium::new(seed, latency))) }
    }

    /// Starts the node's disk: earlier mounts are dead from here on, and this boot's speed is drawn.
    pub fn boot(&self) -> Arc<SimMount> {
        let mut medium = self.medium.lock();
        let epoch = medium.next_epoch();
        let latency = medium.draw_boot_latency();
        Arc::new(SimMount::new(self.medium.clone(), epoch, latency))
    }

    /// Cuts the power. Returns what this cut took.
    pub fn crash(&self) -> SimLosses {
        self.medium.lock().crash()
    }

    /// Ends the node's process without a power cut: its mount is dead, the page cache survives.
    pub fn stop(&self) {
        let mut medium = self.medium.lock();
        medium.next_epoch();
        medium.crash_in = None;
    }

    /// Cuts the power in the middle of the `operations`-th call from now that changes or syncs
    /// anything (1 is the next).
    pub fn crash_in(&self, operations: u64) {
        self.medium.lock().crash_in = Some(operations.max(1));
    }

    /// Lets the call of that kind fail with EIO, after `skip` that succeed.
    pub fn fail(&self, operation: SimOperation, skip: u32) {
        self.medium.lock().faults.push((operation, skip));
    }

    /// Limits the sum of all files' lengths, in bytes. Writes beyond it fail with `StorageFull`.
    pub fn set_capacity(&self, bytes: u64) {
        self.medium.lock().capacity = bytes;
    }

    /// Lets every sync wait, or go on: a disk that is slow beyond all measure.
    pub fn stall(&self, stalled: bool) {
        self.medium.lock().stalled = stalled;
    }

    /// What all power cuts took so far.
    pub fn losses(&self) -> SimLosses {
        self.medium.lock().losses
    }

    /// How many calls that change or sync anything were made so far.
    pub fn operations(&self) -> u64 {
        self.medium.lock().operations
    }

    /// The names that a node would see now, with their files' lengths in bytes.
    pub fn files(&self) -> Vec<(String, u64)> {
        self.medium.lock().files()
    }

    /// A file's bytes as a node would see them now.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.medium.lock().contents(name)
    }

    /// What the medium held of a file when it was last made shorter: blocks that it gave back.
    pub fn cut_off(&self, name: &str) -> Option<Vec<u8>> {
        self.medium.lock().cut_off(name)
    }

    /// Flips the bits of `mask` in one byte, in the cache and on the medium: silent decay. Returns
    /// whether there is such a byte.
    pub fn decay(&self, name: &str, offset: u64, mask: u8) -> bool {
        self.medium.lock().decay(name, offset, mask)
    }
}

#[cfg(test)]
mod tests;
