//! CLOSE ([MS-SMB2] 3.3.5.10).

use holdfast_proto::types::CreateOptions;

use super::*;
use crate::command::OpenRef;

impl Step<'_> {
    pub(super) fn close_open(&mut self, open: OpenRef, abandoned: bool) -> Verdict {
        self.own_open(open, self.submitter())?;
        if abandoned {
            // What no client was told of deletes nothing.
            self.change_open(open.open, |open| {
                open.create_options = open.create_options.without(CreateOptions::DELETE_ON_CLOSE);
            });
        }
        let duty = self.close(open.open);
        Ok(Outcome::Closed { duty })
    }
}
