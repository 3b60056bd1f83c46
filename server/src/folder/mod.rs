//! A node's folder: what it keeps between its lives, and where its parts lie.
//!
//! Invariants:
//! - `cluster init` alone makes one; nothing else ever begins in an empty or foreign folder.
//! - One process at a time holds it ([`FolderLock`]).
//! - Each life of the node has a lock file of its own ([`LifeLock`]), held until the process is
//!   gone: that it dropped is what a fencer takes for the end of that life.

mod beginning;
mod life;
mod lock;
#[cfg(test)]
pub(crate) mod tests_scratch;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use beginning::{BeginningError, Stores};
pub use life::{LifeLock, LifeStamp, lock_is_free, read_life_stamp};
pub use lock::{FolderLock, LockError};

/// The paths within a node's folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeFolder {
    path: PathBuf,
}

impl NodeFolder {
    /// The folder at `path`, whether it is there or not.
    pub fn at(path: impl Into<PathBuf>) -> NodeFolder {
        NodeFolder { path: path.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Held by the process that serves the folder.
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// The lock files of the node's lives.
    pub fn lives(&self) -> PathBuf {
        self.path.join("lives")
    }

    /// The id of the process that serves the folder.
    pub fn pid(&self) -> PathBuf {
        self.path.join("pid")
    }

    /// Where the admin service listens.
    pub fn admin_socket(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    /// What the node keeps for new ones, who come for it with a token.
    pub fn parcels(&self) -> PathBuf {
        self.path.join("parcels")
    }

    /// The write-ahead log.
    pub fn wal(&self) -> PathBuf {
        self.path.join("wal")
    }

    /// Snapshots and metadata.
    pub fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Notes the process id, whole or not at all.
    pub fn write_pid(&self) -> io::Result<()> {
        write_whole(&self.pid(), format!("{}\n", std::process::id()).as_bytes(), 0o644)
    }
}

/// Makes a directory that only its owner may enter.
fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file so that a reader, and a restart after a power cut, sees all of it or what was
/// there before.
pub fn write_whole(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder_of(path)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Where `path` lies: a name alone lies in the working directory.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_lies_in_the_working_directory() {
        assert_eq!(folder_of(Path::new("ready")), Path::new("."));
        assert_eq!(folder_of(Path::new("scratch/ready")), Path::new("scratch"));
        assert_eq!(folder_of(Path::new("/ready")), Path::new("/"));
    }
}
