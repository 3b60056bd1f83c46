//! LEASE_BREAK acknowledgement ([MS-SMB2] 3.3.5.22.2).

use holdfast_proto::types::{ClientGuid, LeaseKey, LeaseState};

use super::*;
use crate::state::LeaseId;

impl Step<'_> {
    pub(super) fn ack_lease_break(
        &mut self,
        client_guid: ClientGuid,
        key: LeaseKey,
        state: LeaseState,
    ) -> Verdict {
        let id = LeaseId { client_guid, key };
        let (file, lease) = self.state.lease(id).ok_or(Refusal::ObjectNameNotFound)?;
        let breaking = lease.breaking.ok_or(Refusal::Unsuccessful)?;
        if !breaking.to().contains(state) {
            return Err(Refusal::RequestNotAccepted);
        }
        self.change_lease(file, id, |file| {
            file.end_break(id, state);
        });
        self.touch(file);
        Ok(Outcome::Done)
    }
}
