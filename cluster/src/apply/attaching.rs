//! An open is given back to its client, on whichever node it came to ([MS-SMB2] 3.3.5.9.7,
//! 3.3.5.9.12).

use holdfast_proto::types::{ClientGuid, OpenId, SessionId};

use super::*;
use crate::planted::{self, PlantedBug};
use crate::state::{Binding, DeadlineRow};

impl Step<'_> {
    /// Binds the open to the session, under a new generation: whatever names the old one is void.
    /// The deadline is cleared, and a break that its client may have missed is sent again, its
    /// timer stopped until then.
    pub(super) fn attach(
        &mut self,
        id: OpenId,
        session: SessionId,
        client_guid: ClientGuid,
        channel_sequence: u16,
    ) {
        let Some(life) = self.state.session(session).map(|session| session.life) else { return };
        let before = self.state.open(id).map(|open| (open.binding, open.generation));
        self.change_open(id, |open| {
            open.generation += 1;
            open.binding = Binding::Bound { life, session };
            open.client_guid = client_guid;
            open.channel_sequence = channel_sequence;
        });
        if planted::is(PlantedBug::ScavengerWithoutGeneration)
            && let Some((Binding::Disconnected { deadline }, generation)) = before
        {
            let row = DeadlineRow::Open { open: id, generation };
            self.state.indexes.deadlines.insert((deadline, row));
        }
        let lease = self.state.open(id).and_then(|open| open.lease_id());
        let file = self.state.file_of(id);
        if let (Some(lease), Some(file)) = (lease, file)
            && self.state.lease(lease).is_some_and(|(_, lease)| lease.notification().is_some())
        {
            self.disarm(file, lease);
            self.tell(lease);
        }
    }
}
