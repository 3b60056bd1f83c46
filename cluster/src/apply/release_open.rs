//! The owner sealed the open, drained its I/O and gives it up.

use super::*;
use crate::command::OpenRef;

impl Step<'_> {
    pub(super) fn release_open(&mut self, open: OpenRef) -> Verdict {
        match self.state.open_at(open) {
            // Released before, by another question for it.
            Some(found) if found.is_disconnected() => return Ok(Outcome::Done),
            Some(_) | None => {}
        }
        self.own_open(open, self.submitter())?;
        Ok(self.leave_behind(open.open))
    }
}
