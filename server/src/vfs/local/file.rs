//! An open descriptor.
//!
//! Reads are tried without blocking first, where the page cache answers at once; everything else
//! runs on the blocking pool. The descriptor is closed when the last operation on it has ended.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey};
use parking_lot::Mutex;
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::{Errno, ReadWriteFlags};

use super::blocking;
use super::errno::on;
use super::listing::Window;
use super::metadata;
use super::sync_group::{Lost, SyncGroup, sync_failed};
use super::target::Target;
use super::volume::{Volume, kind_of, retry};
use crate::vfs::{
    FileKind, FileStat, Listing, OpenAccess, Overwrite, Place, SetTimes, VfsError, VfsFile,
    VfsResult,
};

/// The longest read that is tried without blocking: copying it takes some tens of microseconds.
const INLINE_READ: usize = 1 << 20;

/// A descriptor as handlers hold it.
#[derive(Debug)]
pub(super) struct LocalFile(Arc<Opened>);

/// What operations under way share.
#[derive(Debug)]
pub(super) struct Opened {
    volume: Arc<Volume>,
    fd: OwnedFd,
    key: FileKey,
    kind: FileKind,
    writable: bool,
    /// Syncs of data, and of data and metadata.
    data_syncs: SyncGroup,
    full_syncs: SyncGroup,
    lost: Lost,
    /// Held while data is appended.
    appending: Mutex<()>,
    /// Names of a directory that a listing has read ahead.
    window: Mutex<Window>,
}

/// Opens what is at a place for data or metadata.
pub(super) fn open(
    volume: &Arc<Volume>,
    place: &Place,
    access: OpenAccess,
) -> VfsResult<LocalFile> {
    let (handle, statx) = volume.open_handle(place)?;
    let kind = match kind_of(&statx) {
        Some(FileKind::Directory) if access.write => return Err(VfsError::IsADirectory),
        Some(kind @ (FileKind::File | FileKind::Directory)) => kind,
        _ => return Err(VfsError::NotAFile),
    };
    let fd = reopen(&handle, kind, access.write).map_err(on("open"))?;
    Ok(LocalFile(Arc::new(Opened {
        volume: Arc::clone(volume),
        fd,
        key: place.key,
        kind,
        writable: access.write,
        data_syncs: SyncGroup::default(),
        full_syncs: SyncGroup::default(),
        lost: Lost::new(),
        appending: Mutex::default(),
        window: Mutex::default(),
    })))
}

/// Opens the object of a handle for use: the very same object, whatever its name denotes by now.
fn reopen(handle: &OwnedFd, kind: FileKind, write: bool) -> Result<OwnedFd, Errno> {
    let flags = match kind {
        FileKind::Directory => OFlags::RDONLY | OFlags::DIRECTORY,
        _ if write => OFlags::RDWR,
        _ => OFlags::RDONLY,
    };
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    retry(|| rustix::fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty()))
}

impl Opened {
    fn target(&self) -> Target<'_> {
        Target::Open(self.fd.as_fd())
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Reads what the page cache holds. `None`: the disk has to be asked.
    fn read_cached(&self, offset: u64, len: usize) -> Option<VfsResult<Bytes>> {
        let mut buffer = vec![0; len];
        let mut into = [IoSliceMut::new(&mut buffer)];
        match rustix::io::preadv2(self.fd(), &mut into, offset, ReadWriteFlags::NOWAIT) {
            Ok(read) if read == len || self.ends_at(offset + read as u64) => {
                buffer.truncate(read);
                Some(Ok(Bytes::from(buffer)))
            }
            Ok(_) => None,
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INTR | Errno::NOSYS) => None,
            Err(errno) => Some(Err(on("read")(errno))),
        }
    }

    /// True when nothing comes at or after `offset`.
    fn ends_at(&self, offset: u64) -> bool {
        rustix::fs::fstat(&self.fd).is_ok_and(|stat| stat.st_size as u64 <= offset)
    }

    fn read_blocking(&self, offset: u64, len: usize) -> VfsResult<Bytes> {
        let mut buffer = vec![0; len];
        let mut filled = 0;
        while filled < len {
            let at = offset + filled as u64;
            match retry(|| rustix::io::pread(&self.fd, &mut buffer[filled..], at)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(errno) => return Err(on("read")(errno)),
            }
        }
        buffer.truncate(filled);
        Ok(Bytes::from(buffer))
    }

    fn write(&self, offset: u64, data: &[u8]) -> VfsResult<()> {
        let mut written = 0;
        while written < data.len() {
            let at = offset + written as u64;
            match retry(|| rustix::io::pwrite(&self.fd, &data[written..], at)) {
                Ok(0) => return Err(VfsError::NoSpace),
                Ok(more) => written += more,
                Err(errno) => return Err(on("write")(errno)),
            }
        }
        Ok(())
    }

    /// Writes where the file ends. Those who append to it, through whichever descriptor and on
    /// whichever node, are kept apart by a lock on the file, which goes with its holder.
    fn append(&self, offset: u64, data: &[u8]) -> VfsResult<()> {
        // The lock is the descriptor's: its own users are kept apart by this.
        let _one = self.appending.lock();
        retry(|| flock(&self.fd, FlockOperation::LockExclusive)).map_err(on("lock a file"))?;
        let appended = match rustix::fs::fstat(&self.fd) {
            Ok(stat) if stat.st_size as u64 == offset => self.write(offset, data),
            Ok(_) => Err(VfsError::EndMoved),
            Err(errno) => Err(on("stat")(errno)),
        };
        flock(&self.fd, FlockOperation::Unlock).map_err(on("unlock a file"))?;
        appended
    }

    fn allocate(&self, size: u64) -> VfsResult<()> {
        let len = rustix::fs::fstat(&self.fd).map_err(on("stat"))?.st_size as u64;
        if size < len {
            return retry(|| rustix::fs::ftruncate(&self.fd, size)).map_err(on("truncate"));
        }
        if size == 0 {
            return Ok(());
        }
        metadata::reserve(self.fd(), size)
    }
}

impl LocalFile {
    /// Runs `work` on the blocking pool; the descriptor stays open until it has ended.
    async fn run<T, F>(&self, work: F) -> VfsResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Opened) -> VfsResult<T> + Send + 'static,
    {
        let opened = Arc::clone(&self.0);
        blocking(move || work(&opened)).await
    }

    fn must_be(&self, kind: FileKind) -> VfsResult<()> {
        match (kind, self.0.kind) {
            (FileKind::File, FileKind::Directory) => Err(VfsError::IsADirectory),
            (FileKind::Directory, FileKind::File) => Err(VfsError::NotADirectory),
            _ => Ok(()),
        }
    }

    fn must_be_writable(&self) -> VfsResult<()> {
        self.must_be(FileKind::File)?;
        if self.0.writable { Ok(()) } else { Err(VfsError::AccessDenied) }
    }

    async fn sync_data(&self) -> VfsResult<()> {
        let work = |opened: &Opened| rustix::fs::fdatasync(&opened.fd).map_err(sync_failed);
        self.0.data_syncs.sync(&self.0.lost, || self.run(work)).await
    }
}

/// The offset after `len` bytes, if files can be that large.
fn end_of(offset: u64, len: usize) -> VfsResult<u64> {
    let end = offset.checked_add(len as u64).filter(|end| i64::try_from(*end).is_ok());
    end.ok_or(VfsError::TooLarge)
}

#[async_trait]
impl VfsFile for LocalFile {
    fn key(&self) -> FileKey {
        self.0.key
    }

    fn kind(&self) -> FileKind {
        self.0.kind
    }

    async fn read_at(&self, offset: u64, len: u32) -> VfsResult<Bytes> {
        self.must_be(FileKind::File)?;
        let len = len as usize;
        end_of(offset, len)?;
        if len == 0 {
            return Ok(Bytes::new());
        }
        let cached = (len <= INLINE_READ).then(|| self.0.read_cached(offset, len));
        match cached.flatten() {
            Some(answer) => answer,
            None => self.run(move |opened| opened.read_blocking(offset, len)).await,
        }
    }

    async fn write_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()> {
        self.must_be_writable()?;
        end_of(offset, data.len())?;
        if !data.is_empty() {
            self.run(move |opened| opened.write(offset, &data)).await?;
        }
        if stable { self.sync_data().await } else { Ok(()) }
    }

    async fn append_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()> {
        self.must_be_writable()?;
        end_of(offset, data.len())?;
        self.run(move |opened| opened.append(offset, &data)).await?;
        if stable { self.sync_data().await } else { Ok(()) }
    }

    async fn sync(&self) -> VfsResult<()> {
        let work = |opened: &Opened| rustix::fs::fsync(&opened.fd).map_err(sync_failed);
        self.0.full_syncs.sync(&self.0.lost, || self.run(work)).await
    }

    async fn set_len(&self, len: u64) -> VfsResult<()> {
        self.must_be_writable()?;
        end_of(len, 0)?;
        self.run(move |opened| {
            retry(|| rustix::fs::ftruncate(&opened.fd, len)).map_err(on("truncate"))
        })
        .await
    }

    async fn allocate(&self, size: u64) -> VfsResult<()> {
        self.must_be_writable()?;
        end_of(size, 0)?;
        self.run(move |opened| opened.allocate(size)).await
    }

    async fn overwrite(&self, what: &Overwrite) -> VfsResult<()> {
        self.must_be_writable()?;
        let stable = what.stable;
        let what = what.clone();
        self.run(move |opened| opened.volume.overwrite(opened.fd(), &what)).await?;
        if stable { self.sync().await } else { Ok(()) }
    }

    async fn stat(&self) -> VfsResult<FileStat> {
        let stat =
            |opened: &Opened| opened.volume.stat(&opened.target())?.ok_or(VfsError::NotAFile);
        if self.0.volume.stats_at_once { stat(&self.0) } else { self.run(stat).await }
    }

    async fn set_times(&self, times: SetTimes) -> VfsResult<()> {
        self.run(move |opened| opened.volume.set_times(opened.fd(), times)).await
    }

    async fn set_attributes(&self, attributes: FileAttributes) -> VfsResult<()> {
        self.run(move |opened| opened.volume.keep_dos(opened.fd(), Some(attributes), None)).await
    }

    async fn security(&self) -> VfsResult<Option<Bytes>> {
        self.run(|opened| metadata::security(&opened.target())).await
    }

    async fn set_security(&self, descriptor: Bytes) -> VfsResult<()> {
        self.run(move |opened| metadata::keep_security(&opened.target(), &descriptor)).await
    }

    async fn extended_attributes(&self) -> VfsResult<Vec<(String, Bytes)>> {
        self.run(|opened| metadata::extended(&opened.target())).await
    }

    async fn extended_attribute(&self, name: &str) -> VfsResult<Bytes> {
        let name = name.to_owned();
        self.run(move |opened| metadata::one_extended(&opened.target(), &name)).await
    }

    async fn set_extended_attribute(&self, name: &str, value: Bytes) -> VfsResult<()> {
        let name = name.to_owned();
        self.run(move |opened| metadata::set_extended(&opened.target(), &name, &value)).await
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> VfsResult<Listing> {
        self.must_be(FileKind::Directory)?;
        let after = after.map(str::to_owned);
        self.run(move |opened| {
            let mut window = opened.window.lock();
            opened.volume.list(opened.fd(), opened.key, &mut window, after.as_deref(), limit)
        })
        .await
    }
}
