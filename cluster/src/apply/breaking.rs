//! The life of a lease break: begun by a conflict, told by a node that serves the client, timed
//! from then on, and ended by an acknowledgement, the last close, or time.

use holdfast_proto::types::{ClientGuid, LeaseState};

use super::*;
use crate::state::LeaseId;

impl Step<'_> {
    /// Begins a break and has its client told. With nobody to tell, the notification is kept.
    pub(super) fn begin_break(&mut self, file: FileKey, id: LeaseId, to: LeaseState) {
        let mut begun = None;
        self.change_lease(file, id, |state| begun = state.begin_break(id, to));
        if begun.is_some() {
            self.tell(id);
        }
    }

    /// Has the lease's client told of its break, if anyone serves it.
    pub(super) fn tell(&mut self, id: LeaseId) {
        let Some(to) = self.state.teller(id) else { return };
        let notification =
            self.state.lease(id).and_then(|(_, lease)| lease.notification().copied());
        if let Some(notification) = notification {
            self.effect(Effect::SendBreak { to, notification });
        }
    }

    /// Stops the acknowledgement's timer until the next delivery.
    pub(super) fn disarm(&mut self, file: FileKey, id: LeaseId) {
        self.change_lease(file, id, |state| {
            if let Some(breaking) = state.lease_mut(id).and_then(|lease| lease.breaking.as_mut()) {
                breaking.timer = None;
            }
        });
    }

    /// The acknowledgement did not come: the lease is gone, whatever the break asked for.
    pub(super) fn expire_break(&mut self, file: FileKey, id: LeaseId) {
        self.change_lease(file, id, |state| {
            if state.end_break(id, LeaseState::NONE)
                && let Some(lease) = state.lease_mut(id)
            {
                lease.epoch = lease.epoch.wrapping_add(1);
            }
        });
        self.touch(file);
    }

    /// Sessions of the client on `life` are gone: its breaks are told elsewhere, or wait for its
    /// return, or (where nothing persistent is promised) end.
    pub(super) fn client_left(&mut self, client: ClientGuid, life: NodeLife) {
        let away = self.state.client_sessions(client).next().is_none();
        let still_here = self.state.client_sessions(client).any(|(_, at)| at == life);
        let breaks: Vec<LeaseId> = self.state.client_notifications(client).collect();
        for id in breaks {
            let Some((file, lease)) = self.state.lease(id) else { continue };
            let timer = lease.breaking.and_then(|breaking| breaking.timer);
            let told_here = timer.is_some_and(|timer| timer.by == life) && !still_here;
            let persistent =
                self.state.file(file).is_some_and(|state| state.is_lease_persistent(id));
            match (away, lease.breaking.is_some()) {
                // What needed no acknowledgement is told by the reply to a reconnect.
                (true, false) => self.change_lease(file, id, |state| {
                    if let Some(lease) = state.lease_mut(id) {
                        lease.untold = None;
                    }
                }),
                (true, true) if persistent => self.disarm(file, id),
                (true, true) => self.expire_break(file, id),
                (false, _) if told_here || timer.is_none() => {
                    self.disarm(file, id);
                    self.tell(id);
                }
                (false, _) => {}
            }
        }
    }
}
