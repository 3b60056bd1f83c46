//! The barrier of an open's grants is through: a replay or reconnect need not run it again.

use super::*;
use crate::command::OpenRef;

impl Step<'_> {
    pub(super) fn grant_effective(&mut self, open: OpenRef) -> Verdict {
        let file = self.own_file(open, self.submitter())?;
        if let Some(open) = self.file_mut(file).open_mut(open.open) {
            open.effective = true;
        }
        Ok(Outcome::Done)
    }
}
