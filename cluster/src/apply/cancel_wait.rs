//! CANCEL, or a connection that went: the request is refused now, if it still waits.

use super::*;

impl Step<'_> {
    pub(super) fn cancel_wait(&mut self, wait: SubmitId) -> Verdict {
        if life_of(wait) != self.submitter() {
            return Err(Refusal::InvalidParameter);
        }
        if let Some(number) = self.state.indexes.waits.get(&wait).copied() {
            self.settle_wait(number, Outcome::Refused(Refusal::Cancelled));
        }
        Ok(Outcome::Done)
    }
}
