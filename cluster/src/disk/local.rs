//! A real directory.
//!
//! Every call blocks the thread that polls it: the write-ahead log runs its flusher on a thread of
//! its own for that reason. Data is synced with `fdatasync`, names with `fsync` on the directory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::{Disk, DiskFile, check_name};

/// A directory of the machine's file system.
pub struct LocalDisk {
    path: PathBuf,
    /// Held open, so that syncing names needs no look-up of the path.
    directory: File,
}

impl LocalDisk {
    /// Opens an existing directory.
    ///
    /// # Errors
    /// `NotFound` or `NotADirectory`, and the environment's.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let directory = File::open(&path)?;
        if !directory.metadata()?.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                format!("{} is not a directory", path.display()),
            ));
        }
        Ok(Self { path, directory })
    }

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(&self, name: &str) -> io::Result<PathBuf> {
        check_name(name)?;
        Ok(self.path.join(name))
    }
}

#[async_trait]
impl Disk for LocalDisk {
    async fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            // What we could not have created is not ours to see.
            if let Ok(name) = entry.file_name().into_string()
                && check_name(&name).is_ok()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    async fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.at(name)?)?;
        Ok(Arc::new(LocalFile(file)))
    }

    async fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).open(self.at(name)?)?;
        Ok(Arc::new(LocalFile(file)))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.at(from)?, self.at(to)?)
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.at(name)?)
    }

    async fn sync_dir(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    async fn free(&self) -> io::Result<u64> {
        free_bytes(&self.directory)
    }

    fn blocks(&self) -> bool {
        true
    }
}

/// What an ordinary user may still use of the file system.
#[cfg(not(madsim))]
fn free_bytes(directory: &File) -> io::Result<u64> {
    let stat = rustix::fs::fstatvfs(directory)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Not asked there: simulated nodes have simulated disks.
#[cfg(madsim)]
fn free_bytes(_directory: &File) -> io::Result<u64> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

struct LocalFile(File);

#[async_trait]
impl DiskFile for LocalFile {
    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.0.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    async fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    async fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    async fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
