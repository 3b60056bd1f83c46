//! Why a log cannot be opened, or does no more.

use std::io;
use std::sync::Arc;

use super::WalIdentity;

/// What went wrong, and with which file.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WalError {
    /// The directory holds no log. Only creating one explicitly may begin one.
    #[error("the directory holds no log; a node's log is begun by creating it explicitly")]
    NotCreated,
    /// A log was to be created where something is.
    #[error("a log can be created in an empty directory only, and {file} is there")]
    NotEmpty {
        /// What is there.
        file: String,
    },
    /// A file that no log has.
    #[error("{file} does not belong to a log")]
    UnknownFile {
        /// Its name.
        file: String,
    },
    /// Another node's log, or another cluster's.
    #[error("{file} belongs to {found}, this is {expected}")]
    Foreign {
        /// The segment that says so.
        file: String,
        /// Whose it is.
        found: WalIdentity,
        /// Who asked.
        expected: WalIdentity,
    },
    /// Something that was durable is damaged or missing. Nothing was changed.
    #[error(
        "the log is damaged: {file} at offset {offset}: {reason}. This was no power cut: something \
         that this node had promised to keep is gone, so it must not take part again. Check its \
         disk, keep the folder if it is to be examined, and replace the node: it comes back with \
         an empty folder and under a new id"
    )]
    Corrupt {
        /// The segment.
        file: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The environment failed. If it was a write or sync, the log is at its end.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, and to which file.
        doing: String,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// A write found no room on the disk. It changed nothing that counts: it may be tried again.
    #[error("{doing}: {source}")]
    Full {
        /// What was being done, and to which file.
        doing: String,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// An append that does not follow the last entry.
    #[error("entry {found} does not follow, {expected} was expected")]
    Hole {
        /// The index after the last entry.
        expected: u64,
        /// The index given.
        found: u64,
    },
    /// An entry whose body is too large.
    #[error("an entry of {bytes} bytes is too large")]
    TooLarge {
        /// The size given.
        bytes: usize,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

impl WalError {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> WalError {
        let doing = doing.into();
        move |source| WalError::Io { doing, source: Arc::new(source) }
    }

    /// For what is not a sync: tells a full disk from one that fails.
    pub(super) fn io_or_full(doing: impl Into<String>) -> impl FnOnce(io::Error) -> WalError {
        let doing = doing.into();
        move |source| match is_full(&source) {
            true => WalError::Full { doing, source: Arc::new(source) },
            false => WalError::Io { doing, source: Arc::new(source) },
        }
    }

    pub(super) fn corrupt(file: &str, offset: u64, reason: impl Into<String>) -> WalError {
        WalError::Corrupt { file: file.to_owned(), offset, reason: reason.into() }
    }
}

/// Whether there was no room, on the disk or within a quota.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl From<WalError> for io::Error {
    fn from(error: WalError) -> io::Error {
        let kind = match &error {
            WalError::Io { source, .. } | WalError::Full { source, .. } => source.kind(),
            WalError::Corrupt { .. } => io::ErrorKind::InvalidData,
            WalError::Hole { .. } | WalError::TooLarge { .. } => io::ErrorKind::InvalidInput,
            WalError::NotCreated => io::ErrorKind::NotFound,
            WalError::NotEmpty { .. } => io::ErrorKind::AlreadyExists,
            WalError::UnknownFile { .. } | WalError::Foreign { .. } | WalError::Closed => {
                io::ErrorKind::Other
            }
        };
        io::Error::new(kind, error)
    }
}
