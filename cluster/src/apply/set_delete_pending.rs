//! FileDispositionInformation ([MS-FSA] 2.1.5.15.3): handles that others cache go first.

use holdfast_proto::types::AccessMask;

use super::*;
use crate::command::OpenRef;
use crate::outcome::Barrier;

impl Step<'_> {
    pub(super) fn set_delete_pending(
        &mut self,
        who: SubmitId,
        open: OpenRef,
        pending: bool,
    ) -> Decided {
        let own = match self.own_open(open, life_of(who)) {
            Ok(found) if !found.access.contains(AccessMask::DELETE) => {
                return Refusal::AccessDenied.into();
            }
            Ok(found) if found.place.path.is_empty() => return Refusal::CannotDelete.into(),
            Ok(found) => found.lease_id(),
            Err(refusal) => return refusal.into(),
        };
        let Some(file) = self.state.file_of(open.open) else {
            return Refusal::StaleOpen.into();
        };
        if pending {
            let reachable = |client| self.state.client_sessions(client).next().is_some();
            let met = self.state.file(file).map(|state| state.contend_name(own, &reachable));
            if self.meet(file, met.unwrap_or_default()).waits {
                return Decided::Wait(WaitOn::File(file));
            }
        }
        if let Some(lease) = own {
            // Its key may then name another file (Lease.FileDeleteOnClose).
            self.change_lease(file, lease, |state| {
                if let Some(lease) = state.lease_mut(lease) {
                    lease.file_delete_on_close = pending;
                }
            });
        }
        let index = self.index;
        let state = self.file_mut(file);
        let changed = state.delete_pending != pending;
        state.delete_pending = pending;
        // Only what limits others has to be known to their nodes.
        let barrier = match pending {
            true => state.barrier(file, open, index),
            false => Barrier { file, index, nodes: Vec::new() },
        };
        self.touch(file);
        Decided::Now(Outcome::DeletePendingSet { barrier, changed })
    }
}
