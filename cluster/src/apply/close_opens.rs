//! TREE_DISCONNECT ([MS-SMB2] 3.3.5.8): opens of one session are closed, persistent ones too.

use holdfast_proto::types::{OpenId, SessionId};

use super::*;

impl Step<'_> {
    pub(super) fn close_opens(&mut self, id: SessionId, opens: &[OpenId]) -> Verdict {
        let session = self.state.session(id).ok_or(Refusal::NoSession)?;
        if session.life != self.submitter() {
            return Err(Refusal::NoSession);
        }
        let is_its = |open: &OpenId| {
            let bound = self.state.open(*open).and_then(|open| open.bound_to());
            bound.is_some_and(|(_, session)| session == id)
        };
        let opens: Vec<OpenId> = opens.iter().copied().filter(is_its).collect();
        let duties = self.close_all(opens);
        Ok(Outcome::Ended { detached: Vec::new(), duties })
    }
}
