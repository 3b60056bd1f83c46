//! The storage step of an intent did not happen: the reservation is dropped.

use super::naming::Denotes;
use super::*;
use crate::command::IntentId;

impl Step<'_> {
    pub(super) fn fail_create(&mut self, id: IntentId) -> Verdict {
        self.own_intent(id)?;
        self.end_intent(id, Denotes::Unchanged);
        Ok(Outcome::Done)
    }
}
