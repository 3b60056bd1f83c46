//! What the storage tells about a file.

use holdfast_proto::types::{FileAttributes, FileKey, FileTime};

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A file of bytes.
    File,
    /// A directory.
    Directory,
    /// A symbolic link. It is shown where it stands and never followed.
    Symlink,
}

/// The four times of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileTimes {
    /// CreationTime.
    pub creation: FileTime,
    /// LastAccessTime.
    pub access: FileTime,
    /// LastWriteTime.
    pub write: FileTime,
    /// ChangeTime: the storage's own, nobody can set it.
    pub change: FileTime,
}

/// Times to set. `None` leaves a time as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SetTimes {
    /// CreationTime.
    pub creation: Option<FileTime>,
    /// LastAccessTime.
    pub access: Option<FileTime>,
    /// LastWriteTime.
    pub write: Option<FileTime>,
}

/// Everything that is asked about a file at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileStat {
    /// The file's identity.
    pub key: FileKey,
    /// What it is.
    pub kind: FileKind,
    /// EndOfFile; 0 for a directory.
    pub len: u64,
    /// AllocationSize; 0 for a directory.
    pub allocated: u64,
    /// Its times.
    pub times: FileTimes,
    /// Its attributes as [MS-FSCC] 2.6 shows them: DIRECTORY set for a directory, NORMAL if and
    /// only if there is no other.
    pub attributes: FileAttributes,
    /// NumberOfLinks.
    pub links: u32,
}

impl FileStat {
    /// IndexNumber ([MS-FSCC] 2.4.26): the 64 bits by which clients tell files apart.
    pub fn index_number(&self) -> u64 {
        (self.key.file >> 64) as u64
    }

    /// A file (directories are not meant) whose content is not to change.
    pub fn is_read_only_file(&self) -> bool {
        self.kind == FileKind::File && self.attributes.contains(FileAttributes::READONLY)
    }
}

/// A name in a directory and what it denotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name as the storage spells it.
    pub name: String,
    /// What it denotes.
    pub stat: FileStat,
}

/// One batch of a directory's entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// The entries in order; `.` and `..` are the caller's to add.
    pub entries: Vec<Entry>,
    /// True when nothing comes after the last of them.
    pub end: bool,
}

/// Sizes of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VolumeStatistics {
    /// All bytes.
    pub total: u64,
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that are free to the server's own user.
    pub available: u64,
    /// The unit of allocation, in bytes.
    pub block_size: u32,
}

/// The attributes that are kept with a file; all others follow from what it is.
pub const KEPT_ATTRIBUTES: FileAttributes = FileAttributes(
    FileAttributes::READONLY.0
        | FileAttributes::HIDDEN.0
        | FileAttributes::SYSTEM.0
        | FileAttributes::ARCHIVE.0
        | FileAttributes::TEMPORARY.0
        | FileAttributes::OFFLINE.0
        | FileAttributes::NOT_CONTENT_INDEXED.0,
);

/// What a client is shown for `kept` attributes of an object of this kind.
pub fn shown_attributes(kind: FileKind, kept: FileAttributes) -> FileAttributes {
    let shown = kept.intersection(KEPT_ATTRIBUTES);
    match kind {
        FileKind::Directory => shown | FileAttributes::DIRECTORY,
        FileKind::Symlink => shown | FileAttributes::REPARSE_POINT,
        FileKind::File if shown.is_empty() => FileAttributes::NORMAL,
        FileKind::File => shown,
    }
}
