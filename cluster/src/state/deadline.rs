//! Deadlines are rows, ordered by time; only a tick carries one out, and it is checked again then.

use holdfast_proto::types::{FileKey, OpenId};

use super::file_state::LeaseId;
use super::wait::WaitNumber;

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DeadlineRow {
    /// A disconnected open of that generation is closed.
    Open { open: OpenId, generation: u64 },
    /// A lease break of that epoch was not acknowledged.
    Break { file: FileKey, lease: LeaseId, epoch: u16 },
    /// A request has waited long enough.
    Wait(WaitNumber),
}
