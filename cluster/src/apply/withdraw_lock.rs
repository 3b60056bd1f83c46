//! A lock's barrier could not be passed: it is taken back, and so is the memory of its request.

use super::*;
use crate::command::{LockRange, LockSequence, OpenRef};

impl Step<'_> {
    pub(super) fn withdraw_lock(
        &mut self,
        open: OpenRef,
        ranges: &[LockRange],
        sequence: Option<LockSequence>,
    ) -> Verdict {
        let file = self.own_file(open, self.submitter())?;
        for range in ranges.iter().rev() {
            self.file_mut(file).withdraw_lock(open.open, *range);
        }
        if self.is_replayed(open, sequence) {
            self.void_sequence(file, open, sequence);
        }
        self.touch(file);
        Ok(Outcome::Done)
    }
}
