//! A logon succeeded: the session is known to every node from now on.

use holdfast_proto::types::{ClientGuid, SessionId};

use super::*;
use crate::state::{LeaseId, SessionRecord, limits};

impl Step<'_> {
    pub(super) fn log_on(
        &mut self,
        life: NodeLife,
        id: SessionId,
        user: &str,
        client_guid: ClientGuid,
        dialect: u16,
    ) -> Verdict {
        let prefix = self.state.node(life.node).map(|record| record.session_prefix);
        if life != self.submitter() || prefix != Some(id.prefix()) {
            return Err(Refusal::InvalidParameter);
        }
        self.state.user_by_name(user).ok_or(Refusal::NotFound)?;
        let session = SessionRecord { life, user: user.to_owned(), client_guid, dialect };
        match self.state.session(id) {
            // A logon that is repeated within its session.
            Some(known) if *known == session => return Ok(Outcome::Done),
            Some(_) => return Err(Refusal::Exists),
            None => {}
        }
        // 3.3.5.4: one client, one dialect, in the whole cluster.
        if self.state.client_dialect(client_guid).is_some_and(|spoken| spoken != dialect) {
            return Err(Refusal::OtherDialect);
        }
        if self.state.sessions.len() >= limits::SESSIONS {
            return Err(Refusal::InsufficientResources);
        }
        let away = self.state.client_sessions(client_guid).next().is_none();
        self.state.indexes.link_session(id, &session);
        self.state.sessions.insert(id, session);
        if away {
            // What was broken meanwhile had nobody to be told to.
            let breaks: Vec<LeaseId> = self.state.client_notifications(client_guid).collect();
            for lease in breaks {
                self.tell(lease);
            }
        }
        Ok(Outcome::Done)
    }
}
