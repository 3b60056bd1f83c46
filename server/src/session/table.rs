//! The sessions of this node, by id (GlobalSessionTable of [MS-SMB2] 3.3.1.5, this node's part).

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_proto::types::SessionId;
use parking_lot::Mutex;

use super::Session;
use crate::limits;

/// Sessions by id. Ordered, so that whatever walks it does so alike in every run.
#[derive(Debug, Default)]
pub struct SessionTable {
    sessions: Mutex<BTreeMap<SessionId, Arc<Session>>>,
}

impl SessionTable {
    /// Adds a session; false if the node has as many as it may.
    #[must_use]
    pub fn insert(&self, session: Arc<Session>) -> bool {
        let mut sessions = self.sessions.lock();
        if sessions.len() >= limits::SESSIONS_MAX {
            return false;
        }
        sessions.insert(session.id, session);
        true
    }

    /// The session of that id.
    pub fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.sessions.lock().get(&id).cloned()
    }

    /// Takes a session out.
    pub fn remove(&self, id: SessionId) -> Option<Arc<Session>> {
        self.sessions.lock().remove(&id)
    }

    /// Every session, in order of id.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.sessions.lock().values().cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sessions.lock().len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
