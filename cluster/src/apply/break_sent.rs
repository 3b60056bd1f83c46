//! A notification was written to a connection of its client: the acknowledgement's time begins.

use holdfast_proto::types::{ClientGuid, LeaseKey};

use super::*;
use crate::state::{BreakTimer, LeaseId};

impl Step<'_> {
    pub(super) fn break_sent(
        &mut self,
        life: NodeLife,
        client_guid: ClientGuid,
        key: LeaseKey,
        epoch: u16,
    ) -> Verdict {
        if life != self.submitter() {
            return Err(Refusal::InvalidParameter);
        }
        let id = LeaseId { client_guid, key };
        let Some((file, lease)) = self.state.lease(id) else { return Ok(Outcome::Done) };
        // An older notification, or one that was sent before.
        let current = lease.notification().is_some_and(|sent| sent.epoch == epoch);
        let timed = lease.breaking.is_some_and(|breaking| breaking.timer.is_some());
        // The client left that node meanwhile: it has to be told again.
        let serves = self.state.client_sessions(client_guid).any(|(_, at)| at == life);
        if !current || timed || !serves {
            return Ok(Outcome::Done);
        }
        let timers = self.state.timers();
        let persistent = self.state.file(file).is_some_and(|state| state.is_lease_persistent(id));
        let millis = match persistent {
            true => timers.break_ack_persistent_millis,
            false => timers.break_ack_millis,
        };
        let timer = BreakTimer { by: life, deadline: self.state.time.plus_millis(millis) };
        self.change_lease(file, id, |state| {
            let Some(lease) = state.lease_mut(id) else { return };
            lease.untold = None;
            if let Some(breaking) = &mut lease.breaking {
                breaking.timer = Some(timer);
            }
        });
        Ok(Outcome::Done)
    }
}
