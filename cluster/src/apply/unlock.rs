//! Unlock ([MS-SMB2] 3.3.5.14.1): range by range; one that is not held ends it.

use super::lock::check_ranges;
use super::*;
use crate::command::{LockRange, LockSequence, OpenRef};

impl Step<'_> {
    pub(super) fn unlock(
        &mut self,
        open: OpenRef,
        ranges: &[LockRange],
        sequence: Option<LockSequence>,
    ) -> Verdict {
        let file = self.own_file(open, self.submitter())?;
        check_ranges(ranges, true, sequence)?;
        if self.is_replayed(open, sequence) {
            return Ok(Outcome::Done);
        }
        self.void_sequence(file, open, sequence);
        self.touch(file);
        for range in ranges {
            if !self.file_mut(file).remove_lock(open.open, range.offset, range.length) {
                return Err(Refusal::RangeNotLocked);
            }
        }
        self.note_sequence(file, open, sequence);
        Ok(Outcome::Done)
    }
}
