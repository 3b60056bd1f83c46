//! The folder's exclusive lock: two processes never serve one folder.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};

use super::NodeFolder;

/// The folder, held. Dropped by the kernel when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Why the folder could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{}: another process{who} serves this folder", folder.display())]
    Held { folder: PathBuf, who: String },
    /// The disk said no.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl FolderLock {
    /// Takes the lock, or says who has it.
    pub fn take(folder: &NodeFolder) -> Result<FolderLock, LockError> {
        let path = folder.lock();
        // The standard library opens with O_CLOEXEC: no child inherits the lock.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| LockError::Io { path: path.clone(), error })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LockError::Held {
                folder: folder.path().to_owned(),
                who: std::fs::read_to_string(folder.pid())
                    .map(|pid| format!(" (pid {})", pid.trim()))
                    .unwrap_or_default(),
            }),
            Err(error) => Err(LockError::Io { path, error: error.into() }),
        }
    }
}
