//! The lock of one life of a node, and the stamp that tells whose it is.
//!
//! The file is made anew for each life, locked before anybody hears of it, and held until the
//! kernel has torn the process down. Other processes only ever try the lock for a moment, to see
//! whether it is still held.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use holdfast_cluster::ports::Random;
use rustix::fs::{FlockOperation, flock};

use super::NodeFolder;
use crate::fence::{boot_id, machine_id, process_start};

/// Which process, of which boot of the host, a life lock belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LifeStamp {
    /// The kernel's boot id.
    pub boot_id: String,
    /// The process.
    pub pid: u32,
    /// When it started, in the kernel's ticks since boot: tells a pid that was given out again.
    pub process_start: u64,
    /// The installation's id, where there is one.
    pub machine_id: Option<String>,
}

impl LifeStamp {
    /// The stamp of the process that asks.
    pub fn of_this_process() -> io::Result<LifeStamp> {
        let pid = std::process::id();
        Ok(LifeStamp {
            boot_id: boot_id()?,
            pid,
            process_start: process_start(pid)?,
            machine_id: machine_id(),
        })
    }

    fn to_text(&self) -> String {
        let machine = self.machine_id.as_deref().unwrap_or_default();
        format!("{} {} {} {machine}\n", self.boot_id, self.pid, self.process_start)
    }

    fn from_text(text: &str) -> Option<LifeStamp> {
        let mut words = text.split_ascii_whitespace();
        Some(LifeStamp {
            boot_id: words.next()?.to_owned(),
            pid: words.next()?.parse().ok()?,
            process_start: words.next()?.parse().ok()?,
            machine_id: words.next().map(str::to_owned),
        })
    }
}

/// This life's lock. Keep it until the process ends.
#[derive(Debug)]
pub struct LifeLock {
    path: PathBuf,
    _file: File,
}

impl LifeLock {
    /// Makes the lock file of a new life and locks it. The caller holds the folder's lock.
    pub fn begin(
        folder: &NodeFolder,
        stamp: &LifeStamp,
        random: &dyn Random,
    ) -> io::Result<LifeLock> {
        let path = folder.lives().join(format!("{:016x}.lock", random.next_u64()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        file.write_all(stamp.to_text().as_bytes())?;
        file.sync_all()?;
        Ok(LifeLock { path, _file: file })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the files of earlier lives. Only after this life has joined: until then another
    /// node may still want to see them dropped.
    pub fn forget_earlier(&self, folder: &NodeFolder) -> io::Result<()> {
        for entry in fs::read_dir(folder.lives())? {
            let path = entry?.path();
            if path != self.path {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// True if nobody holds the lock. The lock is taken and given back at once.
pub fn lock_is_free(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            flock(file, FlockOperation::Unlock)?;
            Ok(true)
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads whose life a lock file belongs to.
pub fn read_life_stamp(file: &mut File) -> io::Result<LifeStamp> {
    let mut text = String::new();
    file.take(512).read_to_string(&mut text)?;
    LifeStamp::from_text(&text)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not the lock of a node's life"))
}
