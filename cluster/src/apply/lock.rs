//! LOCK ([MS-SMB2] 3.3.5.14.2): all of its ranges, or none.

use super::*;
use crate::command::{LockRange, LockSequence, OpenRef};
use crate::state::{FileState, is_addressable, limits};

impl Step<'_> {
    pub(super) fn lock(
        &mut self,
        who: SubmitId,
        open: OpenRef,
        ranges: &[LockRange],
        fail_immediately: bool,
        sequence: Option<LockSequence>,
    ) -> Decided {
        let file = match self.own_file(open, life_of(who)) {
            Ok(file) => file,
            Err(refusal) => return refusal.into(),
        };
        if let Err(refusal) = check_ranges(ranges, fail_immediately, sequence) {
            return refusal.into();
        }
        if self.is_replayed(open, sequence) {
            return Decided::Now(self.locked(file, open, true));
        }
        // Another number: what is recorded is the past's, whatever becomes of this request.
        self.void_sequence(file, open, sequence);
        let Some(state) = self.state.file(file) else { return Refusal::StaleOpen.into() };
        if state.locks().len() + ranges.len() > limits::FILE_LOCKS {
            return Refusal::InsufficientResources.into();
        }
        if !can_lock(state, open, ranges) {
            return match fail_immediately {
                true => Refusal::LockNotGranted.into(),
                false => Decided::Wait(WaitOn::File(file)),
            };
        }
        // What others cache under their own leases may no longer be read or written from there.
        let own = state.open(open.open).and_then(|found| found.lease_id());
        let reachable = |client| self.state.client_sessions(client).next().is_some();
        let met = state.contend_io(own, &reachable);
        if self.meet(file, met).waits {
            return Decided::Wait(WaitOn::File(file));
        }
        let state = self.file_mut(file);
        for range in ranges {
            state.add_lock(open.open, *range);
        }
        self.note_sequence(file, open, sequence);
        if sequence.is_some() {
            // The same request, sent again while it waited, is answered too.
            self.touch(file);
        }
        Decided::Now(self.locked(file, open, false))
    }

    /// Open.LockSequenceArray: the same number again is the same request again (3.3.5.14).
    pub(super) fn is_replayed(&self, open: OpenRef, sequence: Option<LockSequence>) -> bool {
        sequence.is_some_and(|sequence| {
            self.state.open(open.open).is_some_and(|found| {
                found.lock_sequences.get(&sequence.index) == Some(&sequence.number)
            })
        })
    }

    /// Recorded only after success.
    pub(super) fn note_sequence(
        &mut self,
        file: FileKey,
        open: OpenRef,
        sequence: Option<LockSequence>,
    ) {
        if let Some(sequence) = sequence
            && let Some(open) = self.file_mut(file).open_mut(open.open)
        {
            open.lock_sequences.insert(sequence.index, sequence.number);
        }
    }

    /// The entry before may not match the request any more.
    pub(super) fn void_sequence(
        &mut self,
        file: FileKey,
        open: OpenRef,
        sequence: Option<LockSequence>,
    ) {
        if let Some(sequence) = sequence
            && let Some(open) = self.file_mut(file).open_mut(open.open)
        {
            open.lock_sequences.remove(&sequence.index);
        }
    }

    fn locked(&mut self, file: FileKey, open: OpenRef, replayed: bool) -> Outcome {
        let index = self.index;
        let own = self.state.open(open.open).and_then(|found| found.lease_id());
        let state = self.file_mut(file);
        let barrier = state.barrier(file, open, index);
        if !barrier.nodes.is_empty()
            && let Some(open) = state.open_mut(open.open)
        {
            open.effective = false;
        }
        let broken = self.state.untold(file, own);
        Outcome::Locked { barrier, replayed, broken }
    }
}

pub(super) fn check_ranges(
    ranges: &[LockRange],
    fail_immediately: bool,
    sequence: Option<LockSequence>,
) -> Result<(), Refusal> {
    let waits_for_many = !fail_immediately && ranges.len() > 1;
    let in_range =
        sequence.is_none_or(|sequence| (1..=64).contains(&sequence.index) && sequence.number < 16);
    if ranges.is_empty() || ranges.len() > limits::LOCK_RANGES || waits_for_many || !in_range {
        return Err(Refusal::InvalidParameter);
    }
    match ranges.iter().all(is_addressable) {
        true => Ok(()),
        false => Err(Refusal::InvalidLockRange),
    }
}

/// True if every range can be taken, each after those before it.
fn can_lock(state: &FileState, open: OpenRef, ranges: &[LockRange]) -> bool {
    if let [range] = ranges {
        return !state.is_locked_against(open.open, range);
    }
    let mut tried = state.clone();
    ranges.iter().all(|range| {
        let free = !tried.is_locked_against(open.open, range);
        tried.add_lock(open.open, *range);
        free
    })
}
