//! A byte-level view of one directory on a disk, so that the code which must survive a power cut
//! runs unchanged over a real directory and over a simulated disk that loses and tears what was not
//! synced.
//!
//! The rules are those of POSIX, read pessimistically:
//! - bytes written are readable at once, and durable only after a [`DiskFile::sync_data`] that began
//!   after the write returned;
//! - a name created, renamed or removed is durable only after a [`Disk::sync_dir`] that began after
//!   the change returned; syncing a file does not make its name durable;
//! - until then a power cut may keep the change, lose it, or keep parts of it;
//! - after a failed sync nothing is known of what was written since the last one that succeeded, and
//!   syncing again proves nothing: the caller must give the disk up.
//!
//! Names are single path components made of ASCII letters, digits, `-`, `_` and `.`, not beginning
//! with a dot; anything else is [`std::io::ErrorKind::InvalidInput`].

pub mod local;
#[cfg(all(test, not(madsim)))]
pub(crate) mod scratch;
pub mod sim;

pub use local::LocalDisk;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

/// One directory. Cheap to share; all methods may be called from several tasks at once.
#[async_trait]
pub trait Disk: Send + Sync + 'static {
    /// The names of all files, sorted.
    ///
    /// # Errors
    /// The environment's; none that the caller causes.
    async fn list(&self) -> io::Result<Vec<String>>;

    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// `NotFound` if there is no such file.
    async fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Creates an empty file and opens it for reading and writing. Its name is not durable yet.
    ///
    /// # Errors
    /// `AlreadyExists` if the name is taken.
    async fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, replacing what has that name. Atomic, but not durable yet.
    ///
    /// # Errors
    /// `NotFound` if there is no file `from`.
    async fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name. Handles that are open keep working. Not durable yet.
    ///
    /// # Errors
    /// `NotFound` if there is no such file.
    async fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes all names that were created, renamed and removed so far durable.
    ///
    /// # Errors
    /// After any, nothing is known of the names changed since the last success.
    async fn sync_dir(&self) -> io::Result<()>;

    /// How many bytes can still be written, as far as the file system tells; more may turn out not to
    /// fit, and files that are removed give back theirs.
    ///
    /// # Errors
    /// The environment's.
    async fn free(&self) -> io::Result<u64>;

    /// Whether calls block the thread that polls them. If so, every call is complete at its first
    /// poll, and a caller that is a task of a shared runtime must move it to a thread that may block.
    fn blocks(&self) -> bool;
}

/// One open file. Offsets and lengths are in bytes.
#[async_trait]
pub trait DiskFile: Send + Sync + 'static {
    /// Reads up to `length` bytes at `offset`; fewer only where the file ends.
    ///
    /// # Errors
    /// The environment's.
    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Writes all of `bytes` at `offset`. A gap between the file's end and `offset` reads as zeros.
    ///
    /// # Errors
    /// `StorageFull` if there is no room; after any error a part may have been written.
    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written to this file so far durable, with the length that reading it needs.
    ///
    /// # Errors
    /// After any, nothing is known of what was written since the last success.
    async fn sync_data(&self) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros. Not durable yet.
    ///
    /// # Errors
    /// The environment's.
    async fn set_len(&self, length: u64) -> io::Result<()>;

    /// The file's length.
    ///
    /// # Errors
    /// The environment's.
    async fn length(&self) -> io::Result<u64>;
}

/// Refuses names that are not a single harmless path component.
///
/// # Errors
/// `InvalidInput`.
fn check_name(name: &str) -> io::Result<()> {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.bytes().all(harmless) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("file name {name:?}")));
    }
    Ok(())
}
