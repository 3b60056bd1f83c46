//! The operating system's errors in the storage's words.

use rustix::io::Errno;

use crate::vfs::VfsError;

/// The general mapping. Call sites that know more about what an error means there say so before
/// they come here.
pub(super) fn refusal(operation: &'static str, errno: Errno) -> VfsError {
    match errno {
        Errno::NOENT => VfsError::NotFound,
        Errno::EXIST => VfsError::AlreadyExists,
        Errno::NOTDIR => VfsError::NotADirectory,
        Errno::ISDIR => VfsError::IsADirectory,
        Errno::NOTEMPTY => VfsError::DirectoryNotEmpty,
        Errno::NOSPC => VfsError::NoSpace,
        Errno::DQUOT => VfsError::QuotaExceeded,
        Errno::ROFS => VfsError::ReadOnly,
        Errno::ACCESS | Errno::PERM => VfsError::AccessDenied,
        Errno::MFILE | Errno::NFILE => VfsError::TooManyOpenFiles,
        Errno::FBIG | Errno::OVERFLOW => VfsError::TooLarge,
        Errno::NAMETOOLONG => VfsError::InvalidPath,
        Errno::XDEV => VfsError::LeavesVolume,
        Errno::BUSY | Errno::TXTBSY => VfsError::Busy,
        Errno::OPNOTSUPP | Errno::NOSYS => VfsError::NotSupported,
        Errno::NODATA => VfsError::NoSuchAttribute,
        other => VfsError::Io { operation, reason: other.to_string() },
    }
}

/// `map_err` with the name of what was tried.
pub(super) fn on(operation: &'static str) -> impl Fn(Errno) -> VfsError {
    move |errno| refusal(operation, errno)
}
