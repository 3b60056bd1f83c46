//! From the domains' own words to NtStatus: one total mapping each.
//!
//! Every variant is answered for by name, so that a new one does not compile before somebody has
//! decided what clients are told.

use holdfast_cluster::outcome::Refusal;
use holdfast_proto::NtStatus;

use crate::vfs::{NameRefusal, VfsError};

/// What a client is told about a command that the cluster refused.
pub fn of_refusal(refusal: Refusal) -> NtStatus {
    match refusal {
        Refusal::NodeGone => NtStatus::SERVER_UNAVAILABLE,
        Refusal::StaleOpen => NtStatus::FILE_CLOSED,
        Refusal::NoSession => NtStatus::USER_SESSION_DELETED,
        Refusal::SharingViolation => NtStatus::SHARING_VIOLATION,
        Refusal::FileNotAvailable => NtStatus::FILE_NOT_AVAILABLE,
        Refusal::AccessDenied => NtStatus::ACCESS_DENIED,
        Refusal::ObjectNameNotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        Refusal::ObjectNameCollision => NtStatus::OBJECT_NAME_COLLISION,
        Refusal::DuplicateObjectId => NtStatus::DUPLICATE_OBJECTID,
        Refusal::ContextMismatch => NtStatus::CONTEXT_MISMATCH,
        Refusal::InvalidParameter => NtStatus::INVALID_PARAMETER,
        Refusal::DeletePending => NtStatus::DELETE_PENDING,
        Refusal::CannotDelete => NtStatus::CANNOT_DELETE,
        // Whoever sees this has looked the name up again as often as it may.
        Refusal::PlaceChanged => NtStatus::FILE_NOT_AVAILABLE,
        Refusal::LockNotGranted => NtStatus::LOCK_NOT_GRANTED,
        Refusal::RangeNotLocked => NtStatus::RANGE_NOT_LOCKED,
        Refusal::Cancelled => NtStatus::CANCELLED,
        Refusal::Unsuccessful => NtStatus::UNSUCCESSFUL,
        Refusal::RequestNotAccepted => NtStatus::REQUEST_NOT_ACCEPTED,
        Refusal::InsufficientResources => NtStatus::INSUFFICIENT_RESOURCES,
        Refusal::Exists => NtStatus::OBJECT_NAME_COLLISION,
        Refusal::NotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        Refusal::InUse => NtStatus::DEVICE_BUSY,
        Refusal::UnfitVolume => NtStatus::NOT_SUPPORTED,
        Refusal::NodeLives | Refusal::OtherFolder => NtStatus::REQUEST_NOT_ACCEPTED,
        Refusal::OtherDialect => NtStatus::USER_SESSION_DELETED,
        Refusal::InvalidLockRange => NtStatus::INVALID_LOCK_RANGE,
    }
}

/// What a client is told about an operation that the storage did not carry out.
pub fn of_vfs(error: &VfsError) -> NtStatus {
    match error {
        VfsError::NotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        VfsError::PathNotFound => NtStatus::OBJECT_PATH_NOT_FOUND,
        VfsError::AlreadyExists => NtStatus::OBJECT_NAME_COLLISION,
        VfsError::Replaced { found: None, .. } => NtStatus::OBJECT_NAME_NOT_FOUND,
        VfsError::Replaced { found: Some(_), .. } => NtStatus::FILE_NOT_AVAILABLE,
        VfsError::NotADirectory => NtStatus::NOT_A_DIRECTORY,
        VfsError::IsADirectory => NtStatus::FILE_IS_A_DIRECTORY,
        VfsError::DirectoryNotEmpty => NtStatus::DIRECTORY_NOT_EMPTY,
        VfsError::IntoItself => NtStatus::ACCESS_DENIED,
        VfsError::InvalidName(refusal) => of_name_refusal(*refusal),
        VfsError::InvalidPath => NtStatus::OBJECT_PATH_SYNTAX_BAD,
        // Whoever sees this learns the new end and goes on there.
        VfsError::EndMoved => NtStatus::FILE_NOT_AVAILABLE,
        VfsError::TooDeep => NtStatus::OBJECT_NAME_INVALID,
        // STOPPED_ON_SYMLINK would have to tell where it leads ([MS-SMB2] 2.2.2.2.1).
        VfsError::SymlinkInPath { .. } => NtStatus::ACCESS_DENIED,
        VfsError::LeavesVolume => NtStatus::ACCESS_DENIED,
        VfsError::NotAFile => NtStatus::ACCESS_DENIED,
        VfsError::NoSpace => NtStatus::DISK_FULL,
        VfsError::QuotaExceeded => NtStatus::QUOTA_EXCEEDED,
        VfsError::ReadOnly => NtStatus::MEDIA_WRITE_PROTECTED,
        VfsError::AccessDenied => NtStatus::ACCESS_DENIED,
        VfsError::TooManyOpenFiles => NtStatus::TOO_MANY_OPENED_FILES,
        VfsError::TooLarge => NtStatus::INVALID_PARAMETER,
        VfsError::NoSuchAttribute => NtStatus::NONEXISTENT_EA_ENTRY,
        VfsError::NotSupported => NtStatus::NOT_SUPPORTED,
        VfsError::Busy => NtStatus::SHARING_VIOLATION,
        VfsError::SyncFailed(_) => NtStatus::DATA_ERROR,
        VfsError::Fenced => NtStatus::SERVER_UNAVAILABLE,
        VfsError::Unavailable => NtStatus::FILE_NOT_AVAILABLE,
        VfsError::Io { .. } => NtStatus::UNEXPECTED_IO_ERROR,
    }
}

/// What a client is told about a name that cannot be one.
pub fn of_name_refusal(refusal: NameRefusal) -> NtStatus {
    match refusal {
        NameRefusal::Reserved => NtStatus::ACCESS_DENIED,
        NameRefusal::Empty
        | NameRefusal::DotName
        | NameRefusal::TooLong
        | NameRefusal::ReservedCharacter
        | NameRefusal::TrailingDotOrSpace => NtStatus::OBJECT_NAME_INVALID,
    }
}
