//! The volume itself: its root, its staging folder, and the way from a path to a descriptor.
//!
//! Every path is opened by `openat2` beneath the root, without following any link and without
//! leaving the file system.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Weak;

use holdfast_proto::types::{FileAttributes, FileKey, FileTime, VolumeId};
use parking_lot::Mutex;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Statx, StatxAttributes, XattrFlags};
use rustix::io::Errno;
use thiserror::Error;

use super::dos_attributes::{DOS_ATTRIBUTE, DosAttributes};
use super::errno::on;
use super::identity::Identity;
use super::listing::KeptNames;
use super::sync_group::{Lost, SyncGroup};
use super::target::Target;
use crate::vfs::name_rules::{STAGING_FOLDER, TRIAL_FOLDER, is_own_folder};
use crate::vfs::{
    DirRef, FileKind, FileStat, FileTimes, Place, VfsError, VfsResult, VolumePath, shown_attributes,
};

/// What a new file may be used for by other users of the machine: nothing.
pub(super) const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// The same for a directory.
pub(super) const DIRECTORY_MODE: Mode = Mode::RWXU;

/// Longer paths are opened in pieces: the kernel takes 4,095 bytes at once.
const PATH_PIECE: usize = 4000;

/// Why a directory cannot serve as a volume.
#[derive(Debug, Error)]
pub enum VolumeRefusal {
    /// The root cannot be opened as a directory.
    #[error("{path}: cannot be opened as a directory: {reason}")]
    Root {
        /// The root.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The staging folder cannot be made or used.
    #[error("{path}/.holdfast: the staging folder cannot be used: {reason}")]
    Staging {
        /// The root.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The file system has no extended attributes of users.
    #[error(
        "{path}: the file system keeps no extended attributes (user.*), which attributes of files \
         and marks of creates need: {reason}"
    )]
    NoExtendedAttributes {
        /// The root.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The kernel is older than 5.6, or something forbids the call.
    #[error("{path}: openat2 is not available (Linux 5.6 or later is needed): {reason}")]
    NoOpenat2 {
        /// The root.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The process cannot see its own descriptors.
    #[error("/proc is not mounted or cannot be read: {reason}")]
    NoProc {
        /// What the operating system said.
        reason: String,
    },
}

/// What the operations of one volume share.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) id: VolumeId,
    root: OwnedFd,
    root_key: FileKey,
    staging: OwnedFd,
    identity: Identity,
    /// True when the stat data of an open file is in memory: it is read without leaving the task.
    pub(super) stats_at_once: bool,
    /// Held while attributes and creation time, which share one value, are read and written back.
    pub(super) dos_attributes: Mutex<()>,
    /// What listings have read ahead.
    pub(super) kept_names: KeptNames,
    /// Syncs of directories under way.
    pub(super) dir_syncs: Mutex<BTreeMap<FileKey, Weak<SyncGroup>>>,
    /// The first sync of a directory that failed. Descriptors of directories are opened for each
    /// sync, so that a later one could succeed without having written what this one lost: from
    /// here on the volume makes no name stable.
    pub(super) names_lost: Lost,
}

impl Volume {
    /// Opens a directory as a volume and makes its staging folder if there is none.
    pub(super) fn open(path: &Path, id: VolumeId) -> Result<Volume, VolumeRefusal> {
        let at = || path.to_path_buf();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| VolumeRefusal::Root { path: at(), reason: errno.to_string() })?;
        beneath(root.as_fd(), ".", OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
            .map_err(|errno| VolumeRefusal::NoOpenat2 { path: at(), reason: errno.to_string() })?;
        Target::Handle(root.as_fd())
            .attribute_names()
            .map_err(|errno| VolumeRefusal::NoProc { reason: errno.to_string() })?;
        let staging = open_staging(root.as_fd())
            .map_err(|errno| VolumeRefusal::Staging { path: at(), reason: errno.to_string() })?;
        let probed = probe_attributes(staging.as_fd()).and_then(|()| {
            let target = Target::Open(root.as_fd());
            let statx = target.statx()?;
            let identity = Identity::of_volume(&statx);
            Ok((identity, identity.file_id(&target, &statx)?))
        });
        let (identity, root_id) = probed.map_err(|errno| VolumeRefusal::NoExtendedAttributes {
            path: at(),
            reason: errno.to_string(),
        })?;
        let stats_at_once = keeps_inodes_in_memory(root.as_fd());
        Ok(Volume {
            id,
            stats_at_once,
            root,
            root_key: FileKey { volume: id, file: root_id },
            staging,
            identity,
            dos_attributes: Mutex::default(),
            kept_names: KeptNames::default(),
            dir_syncs: Mutex::default(),
            names_lost: Lost::new(),
        })
    }

    /// The volume's root.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The staging folder.
    pub(super) fn staging(&self) -> BorrowedFd<'_> {
        self.staging.as_fd()
    }

    /// True when `name` in the directory `dir` is kept from clients.
    pub(super) fn is_hidden(&self, dir: FileKey, name: &str) -> bool {
        dir == self.root_key && is_own_folder(name)
    }

    /// The folder for trials, made if it is not there.
    pub(super) fn trial_folder(&self) -> VfsResult<DirRef> {
        match rustix::fs::mkdirat(&self.root, TRIAL_FOLDER, DIRECTORY_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(on("make the folder for trials")(errno)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = beneath(self.root(), TRIAL_FOLDER, flags, Mode::empty())
            .map_err(on("open the folder for trials"))?;
        let root = DirRef { key: self.root_key, path: VolumePath::root(), ancestors: Vec::new() };
        Ok(root.child_dir(TRIAL_FOLDER, self.key_of_open(fd.as_fd())?))
    }

    /// The key of an object.
    pub(super) fn key_of(&self, target: &Target<'_>, statx: &Statx) -> VfsResult<FileKey> {
        let file = self.identity.file_id(target, statx).map_err(on("read a file's id"))?;
        Ok(FileKey { volume: self.id, file })
    }

    /// Everything about an object; `None` for what clients are not shown: devices, pipes, sockets
    /// and the roots of other file systems.
    pub(super) fn stat(&self, target: &Target<'_>) -> VfsResult<Option<FileStat>> {
        let statx = target.statx().map_err(on("statx"))?;
        let Some(kind) = kind_of(&statx) else { return Ok(None) };
        let dos = match kind {
            FileKind::Symlink => DosAttributes::default(),
            _ => dos_attributes(target)?,
        };
        let kept = dos.attributes.unwrap_or(match kind {
            FileKind::File => FileAttributes::ARCHIVE,
            _ => FileAttributes::NONE,
        });
        let is_file = kind == FileKind::File;
        Ok(Some(FileStat {
            key: self.key_of(target, &statx)?,
            kind,
            len: if is_file { statx.stx_size } else { 0 },
            allocated: if is_file { statx.stx_blocks.saturating_mul(512) } else { 0 },
            times: FileTimes {
                creation: dos.creation.unwrap_or_else(|| birth(&statx)),
                access: file_time(statx.stx_atime.tv_sec, statx.stx_atime.tv_nsec),
                write: file_time(statx.stx_mtime.tv_sec, statx.stx_mtime.tv_nsec),
                change: file_time(statx.stx_ctime.tv_sec, statx.stx_ctime.tv_nsec),
            },
            attributes: shown_attributes(kind, kept),
            links: statx.stx_nlink,
        }))
    }

    /// Opens `path` beneath the root.
    pub(super) fn open_path(&self, path: &VolumePath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let text = path.as_str();
        if text.is_empty() {
            return beneath(self.root(), ".", flags, Mode::empty());
        }
        if text.len() <= PATH_PIECE {
            return beneath(self.root(), text, flags, Mode::empty());
        }
        let mut rest = text;
        let mut dir: Option<OwnedFd> = None;
        loop {
            let from = dir.as_ref().map_or(self.root(), |fd| fd.as_fd());
            if rest.len() <= PATH_PIECE {
                return beneath(from, rest, flags, Mode::empty());
            }
            let cut = rest.as_bytes()[..PATH_PIECE].iter().rposition(|byte| *byte == b'/');
            let (piece, after) = rest.split_at(cut.ok_or(Errno::NAMETOOLONG)?);
            let next = beneath(from, piece, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
            rest = &after[1..];
            dir = Some(next);
        }
    }

    /// Opens what is at `place` as a handle, and tells what it is, if it still is what the place
    /// says.
    pub(super) fn open_handle(&self, place: &Place) -> VfsResult<(OwnedFd, Statx)> {
        let gone = VfsError::Replaced { expected: place.key, found: None };
        let handle = match self.open_path(&place.path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(handle) => handle,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Err(gone),
            Err(errno) => return Err(on("open")(errno)),
        };
        let target = Target::Handle(handle.as_fd());
        let statx = target.statx().map_err(on("statx"))?;
        let found = self.key_of(&target, &statx)?;
        if found != place.key {
            return Err(VfsError::Replaced { expected: place.key, found: Some(found) });
        }
        Ok((handle, statx))
    }

    /// Opens a directory as a handle, if it still is the one meant.
    pub(super) fn open_dir(&self, dir: &DirRef) -> VfsResult<OwnedFd> {
        let (handle, statx) = self.open_handle(&dir.place())?;
        match kind_of(&statx) {
            Some(FileKind::Directory) => Ok(handle),
            _ => Err(VfsError::NotADirectory),
        }
    }
}

/// `openat2` that stays beneath `dir`, follows no link and crosses no mount.
pub(super) fn beneath(
    dir: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    retry(|| rustix::fs::openat2(dir, path, flags | OFlags::CLOEXEC, mode, resolve))
}

/// Repeats a call that a signal interrupted, or that met a rename under way.
pub(super) fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let mut again = 0;
    loop {
        match call() {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if again < 16 => again += 1,
            other => return other,
        }
    }
}

/// What an object is to clients; `None` if they are not shown it.
pub(super) fn kind_of(statx: &Statx) -> Option<FileKind> {
    match FileType::from_raw_mode(statx.stx_mode.into()) {
        FileType::RegularFile => Some(FileKind::File),
        FileType::Directory => Some(FileKind::Directory),
        FileType::Symlink => Some(FileKind::Symlink),
        _ => None,
    }
}

/// True for the root of another file system that is mounted here.
pub(super) fn is_mount_root(statx: &Statx) -> bool {
    statx.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
}

/// Attributes and creation time as they are kept with a file.
pub(super) fn dos_attributes(target: &Target<'_>) -> VfsResult<DosAttributes> {
    let value = target.attribute(DOS_ATTRIBUTE).map_err(on("read attributes"))?;
    Ok(value.and_then(|bytes| DosAttributes::decode(&bytes)).unwrap_or_default())
}

/// When a file was born, as far as the file system knows: it cannot be younger than its data.
fn birth(statx: &Statx) -> FileTime {
    let at = if super::identity::has_birth_time(statx) { statx.stx_btime } else { statx.stx_mtime };
    file_time(at.tv_sec, at.tv_nsec)
}

fn file_time(seconds: i64, nanos: u32) -> FileTime {
    FileTime::from_unix(seconds, nanos)
}

/// True for file systems of this machine that hold an open file's inode and attributes in memory.
/// On any other one, asking may mean waiting for another machine.
fn keeps_inodes_in_memory(root: BorrowedFd<'_>) -> bool {
    const EXT4: u64 = 0xef53;
    const XFS: u64 = 0x5846_5342;
    const BTRFS: u64 = 0x9123_683e;
    const TMPFS: u64 = 0x0102_1994;
    let kind = rustix::fs::fstatfs(root).map(|stat| stat.f_type as u64);
    matches!(kind, Ok(EXT4 | XFS | BTRFS | TMPFS))
}

/// Opens the staging folder, made if it is not there.
fn open_staging(root: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(root, STAGING_FOLDER, DIRECTORY_MODE) {
        Ok(()) => rustix::fs::fsync(root)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    beneath(root, STAGING_FOLDER, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
}

/// Writes, reads and removes an attribute on the staging folder.
fn probe_attributes(staging: BorrowedFd<'_>) -> Result<(), Errno> {
    const PROBE: &str = "user.holdfast.probe";
    let target = Target::Open(staging);
    target.set_attribute(PROBE, b"1", XattrFlags::empty())?;
    match target.attribute(PROBE)? {
        Some(_) => Ok(()),
        None => Err(Errno::OPNOTSUPP),
    }
}
