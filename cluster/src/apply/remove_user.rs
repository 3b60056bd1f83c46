//! Removes a user. Sessions that it has go on until they end.

use holdfast_proto::types::FoldedName;

use super::*;

impl Step<'_> {
    pub(super) fn remove_user(&mut self, name: &str) -> Verdict {
        match self.state.users.remove(&FoldedName::new(name)) {
            Some(_) => Ok(Outcome::Done),
            None => Err(Refusal::NotFound),
        }
    }
}
