//! CLOSE ([MS-SMB2] 3.3.5.10).

use super::*;
use crate::command::OpenRef;

impl Step<'_> {
    pub(super) fn close_open(&mut self, open: OpenRef) -> Verdict {
        self.own_open(open, self.submitter())?;
        let duty = self.close(open.open);
        Ok(Outcome::Closed { duty })
    }
}
