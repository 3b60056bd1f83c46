//! A session ends; its node has sealed and drained its opens.

use holdfast_proto::types::SessionId;

use super::closing::Survivors;
use super::*;
use crate::command::EndHow;

impl Step<'_> {
    pub(super) fn end_session(&mut self, session: SessionId, how: EndHow) -> Verdict {
        let life = self.state.session(session).ok_or(Refusal::NoSession)?.life;
        if life != self.submitter() {
            return Err(Refusal::NoSession);
        }
        let survivors = match how {
            EndHow::ConnectionLost => Survivors::Reclaimable,
            EndHow::LogOff => Survivors::Durable,
            EndHow::Closed => Survivors::Nobody,
        };
        let (detached, duties) = self.drop_session(session, survivors);
        Ok(Outcome::Ended { detached, duties })
    }
}
