//! TREE_DISCONNECT ([MS-SMB2] 3.3.5.8): opens of one session are closed, persistent ones too.

use holdfast_proto::types::{OpenId, SessionId};

use super::*;

impl Step<'_> {
    pub(super) fn close_opens(&mut self, id: SessionId, opens: &[OpenId]) -> Verdict {
        let session = self.state.session(id).ok_or(Refusal::NoSession)?;
        if session.life != self.submitter() {
            return Err(Refusal::NoSession);
        }
        let mut duties = Vec::new();
        for open in opens {
            let bound = self.state.open(*open).and_then(|open| open.bound_to());
            if bound.is_some_and(|(_, session)| session == id) {
                duties.extend(self.close(*open));
            }
        }
        Ok(Outcome::Ended { detached: Vec::new(), duties })
    }
}
