//! The end of a session, whatever ended it.

use holdfast_proto::types::{ClientGuid, OpenId, SessionId};

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
        let opens = in_order(self.state.session_opens(id).collect());
        let ended = self.detach_or_close(opens, survivors);
        self.forget_sessions(&BTreeSet::from([id]));
        ended
    }

    /// Forgets sessions whose opens have ended. What waits, and what clients have to be told, is
    /// looked at once for all of them.
    pub(super) fn forget_sessions(&mut self, sessions: &BTreeSet<SessionId>) {
        let mut clients: BTreeSet<(ClientGuid, NodeLife)> = BTreeSet::new();
        for id in sessions {
            if let Some(session) = self.state.sessions.remove(id) {
                self.state.indexes.unlink_session(*id, &session);
                clients.insert((session.client_guid, session.life));
            }
        }
        self.refuse_waits_of(sessions);
        for (client, life) in clients {
            self.client_left(client, life);
        }
    }

    /// None of a session's requests outlives it.
    fn refuse_waits_of(&mut self, sessions: &BTreeSet<SessionId>) {
        let gone: Vec<WaitNumber> = self
            .state
            .waits()
            .filter(|(_, wait)| match &wait.command {
                Command::OpenFile { terms, .. } | Command::BeginCreate { terms, .. } => {
                    sessions.contains(&terms.session)
                }
                Command::ReconnectOpen { session: asking, .. } => sessions.contains(asking),
                _ => false,
            })
            .map(|(number, _)| number)
            .collect();
        for number in gone {
            self.settle_wait(number, Outcome::Refused(Refusal::NoSession));
        }
    }
}
