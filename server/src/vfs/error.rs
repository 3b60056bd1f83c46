//! What can go wrong in the storage, in the storage's own words.
//!
//! Never knows: how a protocol reports it. The server maps these to statuses in one place.

use holdfast_proto::types::FileKey;
use thiserror::Error;

use super::name_rules::NameRefusal;

/// The result of every operation of the storage.
pub type VfsResult<T> = Result<T, VfsError>;

/// Why an operation did not happen. Unless a variant says otherwise, nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum VfsError {
    /// The name denotes nothing.
    #[error("no such file or directory")]
    NotFound,
    /// A directory on the way denotes nothing or is no directory.
    #[error("a directory on the path does not exist")]
    PathNotFound,
    /// The name is taken.
    #[error("the name exists already")]
    AlreadyExists,
    /// The path leads to something else than the key that was asked for.
    #[error("the path leads to {found:?}, not to {expected}")]
    Replaced {
        /// What the caller wanted.
        expected: FileKey,
        /// What is there now; `None` when nothing is.
        found: Option<FileKey>,
    },
    /// A directory was needed.
    #[error("not a directory")]
    NotADirectory,
    /// A file was needed.
    #[error("is a directory")]
    IsADirectory,
    /// A directory that is to go still holds something.
    #[error("the directory is not empty")]
    DirectoryNotEmpty,
    /// A directory was to be moved into itself.
    #[error("a directory cannot be moved below itself")]
    IntoItself,
    /// A component cannot be the name of a file.
    #[error("invalid name: {0}")]
    InvalidName(#[from] NameRefusal),
    /// A path that is not made of plain components, or is too long.
    #[error("invalid path")]
    InvalidPath,
    /// The file does not end where it was to be appended to.
    #[error("the file does not end there")]
    EndMoved,
    /// A path of more components than [`super::MAX_DEPTH`].
    #[error("the path is too deep")]
    TooDeep,
    /// The path runs through a symbolic link, which is never followed.
    #[error("component {component} of the path is a symbolic link")]
    SymlinkInPath {
        /// Which component of the resolved list is the link, from 0.
        component: usize,
    },
    /// The path leads into another file system.
    #[error("the path leaves the volume")]
    LeavesVolume,
    /// The kind of object (device, pipe, socket, link) cannot be opened.
    #[error("this kind of object cannot be opened")]
    NotAFile,
    /// No room is left.
    #[error("no space left on the volume")]
    NoSpace,
    /// A quota is used up.
    #[error("the quota is used up")]
    QuotaExceeded,
    /// The volume cannot be written.
    #[error("the volume is read-only")]
    ReadOnly,
    /// The operating system refuses this to the server.
    #[error("permission denied by the operating system")]
    AccessDenied,
    /// The server has too many descriptors open.
    #[error("too many open files")]
    TooManyOpenFiles,
    /// An offset, a size or a value beyond what the volume can hold.
    #[error("beyond what the volume can hold")]
    TooLarge,
    /// No such extended attribute.
    #[error("no such extended attribute")]
    NoSuchAttribute,
    /// The volume cannot do this at all.
    #[error("not supported by this volume")]
    NotSupported,
    /// Something else uses the object in a way that forbids this.
    #[error("the object is busy")]
    Busy,
    /// Data or names could not be made stable. What was written before may be lost, and no later
    /// success can say otherwise: the descriptor fails every later request for stability.
    #[error("data could not be made stable: {0}")]
    SyncFailed(String),
    /// The storage refuses this incarnation: it was fenced.
    #[error("the storage has fenced this incarnation")]
    Fenced,
    /// The storage cannot be reached or was restarted. Whether the operation happened is unknown.
    #[error("the storage does not answer")]
    Unavailable,
    /// Anything else.
    #[error("{operation}: {reason}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        reason: String,
    },
}
