//! SMB2_FILEID ([MS-SMB2] 2.2.14.1).

/// What a client calls an Open by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileId {
    /// Stays the same when the Open is reconnected.
    pub persistent: u64,
    /// Changes when the Open is reconnected.
    pub volatile: u64,
}

impl FileId {
    /// All ones: in a related request of a compound, the Open of the request before; in some
    /// IOCTLs, no Open at all.
    pub const ANY: FileId = FileId { persistent: u64::MAX, volatile: u64::MAX };
}
