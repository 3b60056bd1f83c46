//! The storage step of an intent is done: the open is given out.

use holdfast_proto::types::{CreateAction, OpenId};

use super::closing::Survivors;
use super::naming::Denotes;
use super::opening::NewOpen;
use super::*;
use crate::command::{IntentId, Place};
use crate::state::{Intent, ShareMode};

impl Step<'_> {
    pub(super) fn grant_create(
        &mut self,
        id: IntentId,
        file: FileKey,
        action: CreateAction,
        place: &Place,
    ) -> Verdict {
        let intent = self.own_intent(id)?.clone();
        Self::check_place(place)?;
        if NameKey::of(place) != NameKey::of(&intent.place) {
            return Err(Refusal::InvalidParameter);
        }
        let mode = ShareMode { access: intent.terms.access, share: intent.terms.share_access };
        let taken = Some(file) != intent.target
            && self.state.file(file).is_some_and(|state| state.share_modes_conflict(mode));
        self.end_intent(id, Denotes::Now(Some(file)));
        if taken {
            return Err(Refusal::SharingViolation);
        }
        // The session may have ended meanwhile, or have been its first owner's.
        let open = self.make_open(NewOpen {
            terms: &intent.terms,
            file,
            place: place.clone(),
            directory: intent.directory,
            action,
        });
        self.touch(file);
        if self.state.session(intent.terms.session).is_some() {
            return Ok(Outcome::Granted(Box::new(self.grant(open, false))));
        }
        Ok(self.leave_behind(open))
    }

    /// Nobody is there to take the open: it waits for its client, or is closed. No client waits
    /// for what follows from that, so a duty goes out as an effect.
    pub(super) fn leave_behind(&mut self, open: OpenId) -> Outcome {
        let (detached, duties) = self.detach_or_close(vec![open], Survivors::Reclaimable);
        for duty in duties {
            self.hand_over(duty);
        }
        if detached.is_empty() { Outcome::Closed { duty: None } } else { Outcome::Done }
    }

    /// The intent, if it is the submitter's to end.
    pub(super) fn own_intent(&self, id: IntentId) -> Result<&Intent, Refusal> {
        self.state
            .intent(id)
            .filter(|intent| intent.owner == self.submitter())
            .ok_or(Refusal::StaleOpen)
    }
}
