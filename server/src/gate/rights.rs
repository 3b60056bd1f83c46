//! The questions that the gate asks of the replica.

use holdfast_cluster::command::{NodeLife, OpenRef};
use holdfast_cluster::state::State;
use holdfast_proto::types::{FileKey, OpenId};

use super::{GateError, Io};

/// True if the open, in this generation, is bound to this incarnation.
pub(super) fn owns(state: &State, open: OpenRef, life: NodeLife) -> bool {
    state
        .open_at(open)
        .and_then(|open| open.bound_to())
        .is_some_and(|(owner, _session)| owner == life)
}

/// What byte-range locks and leases say to the operation now. `told`: whoever asks waits by
/// itself for the clients whose leases are breaking.
pub(super) fn check(
    state: &State,
    open: OpenId,
    file: FileKey,
    io: &Io,
    told: bool,
) -> Result<(), GateError> {
    let (range, writes) = match io {
        Io::Read(range) => (Some(range), false),
        Io::Write(range) => (Some(range), true),
        Io::Resize => (None, true),
        Io::Other => return Ok(()),
    };
    if let Some(range) = range {
        let length = range.end.saturating_sub(range.start);
        if state.lock_conflict(file, open, range.start, length, writes) {
            return Err(GateError::Locked);
        }
    }
    if writes && state.foreign_read_leases(file, open) {
        return Err(GateError::MustBreak);
    }
    if writes && !told && state.foreign_untold_leases(file, open) {
        return Err(GateError::MustBreak);
    }
    Ok(())
}
