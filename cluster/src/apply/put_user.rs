//! Creates a user or changes it. A change keeps its relative identifier.

use holdfast_proto::types::FoldedName;

use super::*;
use crate::command::UserSettings;
use crate::state::{UserRecord, limits};

impl Step<'_> {
    pub(super) fn put_user(&mut self, settings: &UserSettings, replace: bool) -> Verdict {
        if settings.name.is_empty() || settings.name.len() > limits::TEXT_BYTES {
            return Err(Refusal::InvalidParameter);
        }
        let name = FoldedName::new(&settings.name);
        let rid = match self.state.users.get(&name) {
            Some(_) if !replace => return Err(Refusal::Exists),
            Some(user) => user.rid,
            None if self.state.users.len() >= limits::USERS => {
                return Err(Refusal::InsufficientResources);
            }
            None => {
                let rid = self.state.counters.rid;
                self.state.counters.rid += 1;
                rid
            }
        };
        self.state.users.insert(name, UserRecord { rid, settings: settings.clone() });
        Ok(Outcome::Done)
    }
}
