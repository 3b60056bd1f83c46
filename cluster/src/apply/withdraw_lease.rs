//! A lease's grant never became effective everywhere: the bits are taken back, and its client was
//! never told of them.

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
        let Some((file, lease)) = self.state.lease(id) else { return Ok(Outcome::Done) };
        let served = self
            .state
            .file(file)
            .is_some_and(|state| {
                state.lease_opens(id).any(|open| {
                    open.bound_to().is_some_and(|(life, _)| life == self.submitter())
                })
            });
        if !served {
            return Err(Refusal::StaleOpen);
        }
        let left = lease.state.without(bits);
        self.change_lease(file, id, |state| {
            let Some(lease) = state.lease_mut(id) else { return };
            lease.state = left;
            if lease.breaking.is_some_and(|breaking| breaking.to().contains(left)) {
                lease.breaking = None;
            }
        });
        self.touch(file);
        Ok(Outcome::Done)
    }
}
