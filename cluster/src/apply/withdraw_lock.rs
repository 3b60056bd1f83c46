//! A lock's barrier could not be passed: it is taken back.

use super::*;
use crate::command::{LockRange, OpenRef};

impl Step<'_> {
    pub(super) fn withdraw_lock(&mut self, open: OpenRef, ranges: &[LockRange]) -> Verdict {
        let file = self.own_file(open, self.submitter())?;
        for range in ranges {
            self.file_mut(file).remove_lock(open.open, range.offset, range.length);
        }
        self.touch(file);
        Ok(Outcome::Done)
    }
}
