//! The bytes of log entries and of snapshots: protobuf, versioned from the first day.
//!
//! Invariant: one value has one encoding. What is decoded is encoded again and compared, so that a
//! field or command of a later version is an error, and the node halts; it is never skipped.

mod entry;
mod file;
mod outcome;
mod record;
mod snapshot;
mod terms;
mod value;

pub use entry::{decode_entry, encode_entry};
pub use snapshot::{decode_snapshot, encode_snapshot, state_hash};

/// The version of entries that this code writes, and the newest that it reads.
pub const ENTRY_FORMAT: u32 = 1;
/// The same for snapshots.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// Why bytes are not an entry or a snapshot that this version knows.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodingError {
    #[error("not protobuf of the expected form: {0}")]
    Malformed(String),
    #[error("format {found} is not one that this version reads; it knows {known}")]
    UnknownFormat { found: u32, known: u32 },
    #[error("{0} is missing, or of a kind that this version does not know")]
    Missing(&'static str),
    #[error("{0} has a value that it cannot have")]
    OutOfRange(&'static str),
    #[error("holds fields that this version does not know")]
    UnknownFields,
    #[error("the state that it describes does not hold together: {0}")]
    Inconsistent(String),
}
