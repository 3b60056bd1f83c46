//! A request that waits is a record. Whatever resolves what it waits for decides it anew through
//! the function that decided it first; the request itself is never run again.

use holdfast_proto::types::{FileKey, FoldedName};
use imbl::OrdSet;

use super::intent::NameHolder;
use crate::command::{Command, IntentId, Place, SubmitId};
use crate::log_time::LogTime;

/// The order in which requests began to wait: a counter in the state, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WaitNumber(pub u64);

/// A name in a directory: what reservations are keyed by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NameKey {
    pub parent: FileKey,
    pub name: FoldedName,
}

impl NameKey {
    /// The key of `place`'s last component.
    pub fn of(place: &Place) -> NameKey {
        NameKey { parent: place.parent, name: place.folded() }
    }
}

/// What has to change before a waiting request can be decided.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WaitOn {
    /// The file's handle state: a lease break, a lock, a step on the storage.
    File(FileKey),
    /// The name's reservation.
    Name(NameKey),
    /// An earlier sending of the same CREATE.
    Intent(IntentId),
}

/// A waiting request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wait {
    pub submit: SubmitId,
    pub on: WaitOn,
    /// When it is refused; none for a byte-range lock, which its client cancels.
    pub deadline: Option<LogTime>,
    pub command: Command,
}

/// A reserved name: who holds it and who waits for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    pub holder: NameHolder,
    pub(crate) waiters: OrdSet<WaitNumber>,
}
