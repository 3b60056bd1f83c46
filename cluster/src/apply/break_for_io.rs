//! An open is about to change what other clients may have cached: a write, a change of size.

use super::*;
use crate::command::OpenRef;

impl Step<'_> {
    pub(super) fn break_for_io(&mut self, who: SubmitId, open: OpenRef) -> Decided {
        let own = match self.own_open(open, life_of(who)) {
            Ok(found) => found.lease_id(),
            Err(refusal) => return refusal.into(),
        };
        let Some(file) = self.state.file_of(open.open) else {
            return Refusal::StaleOpen.into();
        };
        let reachable = |client| self.state.client_sessions(client).next().is_some();
        let met = self.state.file(file).map(|state| state.contend_io(own, &reachable));
        if self.meet(file, met.unwrap_or_default()).waits {
            return Decided::Wait(WaitOn::File(file));
        }
        let leases = self.state.untold(file, own);
        Decided::Now(Outcome::Broken { index: self.index, leases })
    }
}
