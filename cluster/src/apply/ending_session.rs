//! The end of a session, whatever ended it.

use holdfast_proto::types::{OpenId, SessionId};

use super::closing::Survivors;
use super::settling::in_order;
use super::*;
use crate::outcome::Duty;
use crate::state::WaitNumber;

impl Step<'_> {
    /// Ends the session's opens and forgets it. The opens that stay for their client, and the
    /// duties that closing the others began.
    pub(super) fn drop_session(
        &mut self,
        id: SessionId,
        survivors: Survivors,
    ) -> (Vec<OpenId>, Vec<Duty>) {
        let mut detached = Vec::new();
        let mut duties = Vec::new();
        let opens: Vec<OpenId> = in_order(self.state.session_opens(id).collect());
        for open in opens {
            if self.detach_or_close(open, survivors, &mut duties) {
                detached.push(open);
            }
        }
        if let Some(session) = self.state.sessions.remove(&id) {
            self.state.indexes.unlink_session(id, &session);
            self.refuse_waits_of_session(id);
            self.client_left(session.client_guid, session.life);
        }
        (detached, duties)
    }

    /// None of a session's requests outlives it.
    fn refuse_waits_of_session(&mut self, session: SessionId) {
        let gone: Vec<WaitNumber> = self
            .state
            .waits()
            .filter(|(_, wait)| match &wait.command {
                Command::OpenFile { terms, .. } | Command::BeginCreate { terms, .. } => {
                    terms.session == session
                }
                Command::ReconnectOpen { session: asking, .. } => *asking == session,
                _ => false,
            })
            .map(|(number, _)| number)
            .collect();
        for number in gone {
            self.settle_wait(number, Outcome::Refused(Refusal::NoSession));
        }
    }
}
