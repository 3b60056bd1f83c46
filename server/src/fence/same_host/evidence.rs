//! What this host can see of one life of a node: its process and its lock.

use std::fs::File;
use std::io;

use holdfast_cluster::command::NodeIdentity;
use rustix::fs::fstatfs;

use crate::fence::process::{Process, machine_id};
use crate::folder::{LifeStamp, lock_is_free, read_life_stamp};

/// The witnesses of one life, opened as early as possible.
pub(super) struct Evidence {
    /// None: gone, or out of this process's sight.
    pub(super) process: Option<Process>,
    lock: io::Result<File>,
}

impl Evidence {
    /// Opens what there is. What cannot be opened shows later, when it is asked for.
    pub(super) fn gather(identity: &NodeIdentity) -> Evidence {
        let process = Process::open(identity.pid, identity.process_start).unwrap_or_else(|error| {
            tracing::warn!(pid = identity.pid, %error, "the node's process cannot be watched");
            None
        });
        Evidence { process, lock: open_lock(identity) }
    }

    pub(super) fn has_lock(&self) -> bool {
        self.lock.is_ok()
    }

    /// True once the life's lock has dropped.
    pub(super) fn lock_is_free(&self) -> io::Result<bool> {
        match &self.lock {
            Ok(file) => lock_is_free(file),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

/// Opens the life's lock file and checks that it is that life's.
fn open_lock(identity: &NodeIdentity) -> io::Result<File> {
    let mut file = File::open(&identity.lock_path)?;
    let stamp = read_life_stamp(&mut file)?;
    let wanted = (&identity.boot_id, identity.pid, identity.process_start);
    if (&stamp.boot_id, stamp.pid, stamp.process_start) != wanted {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the lock of another process"));
    }
    Ok(file)
}

/// Shows that the life ran on this very host before it booted anew: its lock file lies on a disk
/// of this host, bears this installation's id, and is not held.
pub(super) fn of_earlier_boot(identity: &NodeIdentity) -> Result<(), String> {
    let elsewhere = |what: &str| Err(format!("it ran under another boot id, and {what}"));
    let Ok(mut file) = File::open(&identity.lock_path) else {
        return elsewhere("its lock file is not on this host");
    };
    let Ok(LifeStamp { machine_id: Some(stamped), .. }) = read_life_stamp(&mut file) else {
        return elsewhere("its lock file does not tell its host");
    };
    if machine_id().as_ref() != Some(&stamped) {
        return elsewhere("its lock file is another host's");
    }
    let Ok(file) = open_lock(identity) else {
        return elsewhere("its lock file is another process's");
    };
    if !on_local_disk(&file) {
        return elsewhere("its lock file is on storage that other hosts may share");
    }
    match lock_is_free(&file) {
        Ok(true) => Ok(()),
        Ok(false) => elsewhere("its lock is held"),
        Err(error) => elsewhere(&format!("its lock cannot be tried: {error}")),
    }
}

/// True for the file systems that one host alone mounts.
fn on_local_disk(file: &File) -> bool {
    const EXT4: u64 = 0xEF53;
    const XFS: u64 = 0x5846_5342;
    const BTRFS: u64 = 0x9123_683E;
    const F2FS: u64 = 0xF2F5_2010;
    const ZFS: u64 = 0x2FC1_2FC1;
    fstatfs(file).is_ok_and(|found| matches!(found.f_type as u64, EXT4 | XFS | BTRFS | F2FS | ZFS))
}
