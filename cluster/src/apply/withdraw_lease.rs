//! A lease's grant never became effective everywhere: the bits are taken back. Its client was never
//! told of them, unless by the answer to another open of the lease: then the lease breaks.

use holdfast_proto::types::{ClientGuid, LeaseKey, LeaseState};

use super::*;
use crate::state::LeaseId;

impl Step<'_> {
    pub(super) fn withdraw_lease(
        &mut self,
        client_guid: ClientGuid,
        key: LeaseKey,
        bits: LeaseState,
    ) -> Verdict {
        let id = LeaseId { client_guid, key };
        let Some((file, _)) = self.state.lease(id) else { return Ok(Outcome::Done) };
        let served = self.state.file(file).is_some_and(|state| {
            state
                .lease_opens(id)
                .any(|open| open.bound_to().is_some_and(|(life, _)| life == self.submitter()))
        });
        if !served {
            return Err(Refusal::StaleOpen);
        }
        let shared = self.state.file(file).is_some_and(|state| state.lease_opens(id).count() > 1);
        if shared {
            // Another open's answer may have told the client of them: it has to be asked.
            self.begin_break(file, id, LeaseState::NONE);
            self.touch(file);
            return Ok(Outcome::Done);
        }
        self.change_lease(file, id, |state| state.withdraw_lease(id, bits));
        // A break that was running may have told the client of more than is left.
        let untold = self.state.lease(id).is_some_and(|(_, lease)| lease.untold.is_some());
        if untold {
            self.tell(id);
        }
        self.touch(file);
        Ok(Outcome::Done)
    }
}
