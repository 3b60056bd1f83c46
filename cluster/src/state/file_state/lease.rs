//! Leases ([MS-SMB2] 3.3.1.12): granted to (ClientGuid, LeaseKey) in the whole cluster.
//!
//! Invariants: a lease exists while an open of its file belongs to it (so Lease.Held is always
//! true); a lease with WRITE is the only one of its file with any state; the epoch rises by one
//! with every change that the server makes.
//! Spec: 3.3.1.4, 3.3.4.7, 3.3.5.9.8, 3.3.5.9.11.

use std::collections::BTreeSet;

use holdfast_proto::types::{ClientGuid, LeaseKey, LeaseState};

use super::{FileState, Open};
use crate::command::{LeaseRequest, NodeLife};
use crate::effect::BreakNotification;
use crate::log_time::LogTime;
use crate::outcome::LeaseGrant;

/// What a lease is called in the whole cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LeaseId {
    pub client_guid: ClientGuid,
    pub key: LeaseKey,
}

/// A notification that was written to a connection, and until when its acknowledgement may come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakTimer {
    pub by: NodeLife,
    pub deadline: LogTime,
}

/// A break whose acknowledgement is outstanding (Lease.Breaking).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breaking {
    /// Kept until the acknowledgement, for it may never have arrived.
    pub notification: BreakNotification,
    /// Runs from the delivery, not from the conflict.
    pub timer: Option<BreakTimer>,
}

impl Breaking {
    /// Lease.BreakToLeaseState.
    pub fn to(&self) -> LeaseState {
        self.notification.new
    }
}

/// A lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    pub state: LeaseState,
    pub epoch: u16,
    /// 1 or 2.
    pub version: u8,
    pub parent_key: Option<LeaseKey>,
    /// Lease.FileDeleteOnClose.
    pub file_delete_on_close: bool,
    pub breaking: Option<Breaking>,
    /// READ was taken without an acknowledgement, and the client may not have been told yet.
    pub untold: Option<BreakNotification>,
}

impl Lease {
    /// The lease as a CREATE's answer tells it. While it is breaking, the epoch is the one before
    /// the notification's: otherwise the client would ignore the notification (3.2.5.19.2).
    pub fn grant(&self, key: LeaseKey) -> LeaseGrant {
        let epoch = match &self.breaking {
            Some(_) => self.epoch.wrapping_sub(1),
            None => self.epoch,
        };
        LeaseGrant {
            key,
            state: self.state,
            epoch,
            version: self.version,
            parent_key: self.parent_key,
            breaking: self.breaking.is_some(),
        }
    }

    /// True if its client loses READ and no node has said yet that it was told.
    pub fn awaits_telling(&self) -> bool {
        let told = self.breaking.is_some_and(|breaking| breaking.timer.is_some());
        !told
            && self.notification().is_some_and(|notification| {
                notification.current.contains(LeaseState::READ)
                    && !notification.new.contains(LeaseState::READ)
            })
    }

    /// The notification that its client may still have to be told.
    pub fn notification(&self) -> Option<&BreakNotification> {
        self.breaking.as_ref().map(|breaking| &breaking.notification).or(self.untold.as_ref())
    }
}

/// The states that a client may ask for; any other is granted nothing (2.2.13.2.8).
fn is_valid(state: LeaseState) -> bool {
    matches!(state, LeaseState::READ | LeaseState::RH | LeaseState::RW | LeaseState::RWH)
}

impl FileState {
    /// The lease of that name on this file.
    pub fn lease(&self, id: LeaseId) -> Option<&Lease> {
        self.leases.get(&id)
    }

    /// All leases of the file.
    pub fn leases(&self) -> impl Iterator<Item = (LeaseId, &Lease)> {
        self.leases.iter().map(|(id, lease)| (*id, lease))
    }

    /// The opens that belong to a lease (Lease.LeaseOpens).
    pub fn lease_opens(&self, id: LeaseId) -> impl Iterator<Item = &Open> {
        self.opens().filter(move |open| open.lease_id() == Some(id))
    }

    /// True if a persistent open belongs to the lease.
    pub fn is_lease_persistent(&self, id: LeaseId) -> bool {
        self.lease_opens(id).any(Open::is_persistent)
    }

    /// What of `wanted` can be granted to `id` now.
    fn grantable(&self, id: LeaseId, wanted: LeaseState) -> LeaseState {
        if self.directory || !is_valid(wanted) {
            return LeaseState::NONE;
        }
        let others_lock = self
            .locks
            .iter()
            .any(|lock| self.open(lock.open).is_some_and(|open| open.lease_id() != Some(id)));
        let others = || self.leases().filter(|(other, _)| *other != id);
        if others_lock || others().any(|(_, lease)| lease.state.contains(LeaseState::WRITE)) {
            return LeaseState::NONE;
        }
        let shared = others().any(|(_, lease)| !lease.state.is_empty())
            || self.opens().any(|open| {
                open.lease_id() != Some(id) && !super::share_modes::is_stat_only(open.access)
            });
        if shared { wanted.without(LeaseState::WRITE) } else { wanted }
    }

    /// Grants or upgrades the lease that a CREATE asks for. Called before the open itself is
    /// added, so that only the opens of others count.
    pub(crate) fn grant_lease(
        &mut self,
        client_guid: ClientGuid,
        request: &LeaseRequest,
        delete_on_close: bool,
    ) {
        let id = LeaseId { client_guid, key: request.key };
        let state = self.grantable(id, request.state);
        let Some(lease) = self.leases.get_mut(&id) else {
            let lease = Lease {
                state,
                epoch: request.epoch.wrapping_add(1),
                version: request.version,
                parent_key: request.parent_key,
                file_delete_on_close: delete_on_close,
                breaking: None,
                untold: None,
            };
            self.leases.insert(id, lease);
            return;
        };
        lease.file_delete_on_close |= delete_on_close;
        // Promotion only: a superset of what is held, and not while a break is running.
        let promotes = state.contains(lease.state) && state != lease.state;
        if lease.breaking.is_none() && promotes {
            lease.state = state;
            lease.epoch = lease.epoch.wrapping_add(1);
            lease.untold = None;
        }
    }

    /// Begins a break to `new` and returns its notification. Exactly READ is taken at once and
    /// without an acknowledgement; anything else is held until one comes (3.3.4.7).
    pub(crate) fn begin_break(
        &mut self,
        id: LeaseId,
        new: LeaseState,
    ) -> Option<BreakNotification> {
        let lease = self.leases.get_mut(&id)?;
        if lease.breaking.is_some() || lease.state.without(new).is_empty() {
            return None;
        }
        lease.epoch = lease.epoch.wrapping_add(1);
        let ack_required = lease.state != LeaseState::READ;
        let notification = BreakNotification {
            client_guid: id.client_guid,
            key: id.key,
            current: lease.state,
            new,
            epoch: lease.epoch,
            ack_required,
        };
        if ack_required {
            lease.breaking = Some(Breaking { notification, timer: None });
        } else {
            lease.state = new;
            lease.untold = Some(notification);
        }
        Some(notification)
    }

    /// Ends a running break with `state`. True if there was one.
    pub(crate) fn end_break(&mut self, id: LeaseId, state: LeaseState) -> bool {
        let Some(lease) = self.leases.get_mut(&id) else { return false };
        if lease.breaking.take().is_none() {
            return false;
        }
        lease.state = state;
        true
    }

    /// Takes bits back that the client was never told of. A break that was running ends with it;
    /// if its notification named more than is left, the client is told of the rest.
    pub(crate) fn withdraw_lease(&mut self, id: LeaseId, bits: LeaseState) {
        let Some(lease) = self.leases.get_mut(&id) else { return };
        let valid = |state| if is_valid(state) { state } else { LeaseState::NONE };
        lease.state = valid(lease.state.without(bits));
        let Some(breaking) = lease.breaking.take() else { return };
        lease.state = valid(lease.state & breaking.to());
        if lease.state != breaking.to() {
            lease.epoch = lease.epoch.wrapping_add(1);
            lease.untold = Some(BreakNotification {
                current: breaking.to(),
                new: lease.state,
                epoch: lease.epoch,
                ack_required: false,
                ..breaking.notification
            });
        }
    }

    /// Changes a lease in place.
    pub(crate) fn lease_mut(&mut self, id: LeaseId) -> Option<&mut Lease> {
        self.leases.get_mut(&id)
    }

    /// Those leases to which no open belongs any more.
    pub(crate) fn unheld(&self, mut leases: BTreeSet<LeaseId>) -> BTreeSet<LeaseId> {
        if !leases.is_empty() {
            for held in self.opens().filter_map(Open::lease_id) {
                leases.remove(&held);
            }
        }
        leases
    }

    /// Drops a lease.
    pub(crate) fn drop_lease(&mut self, id: LeaseId) {
        self.leases.remove(&id);
    }

    /// True if a lease of another key than `open`'s still lets its client cache reads, and no
    /// break is under way that ends it: the content must not be changed before one is. A lease
    /// with WRITE counts until its break has ended, because its client may hold newer content.
    pub fn foreign_read_leases(&self, open: &Open) -> bool {
        self.leases().any(|(id, lease)| {
            let caches = match &lease.breaking {
                Some(breaking) if !lease.state.contains(LeaseState::WRITE) => {
                    breaking.to().contains(LeaseState::READ)
                }
                _ => lease.state.contains(LeaseState::READ),
            };
            Some(id) != open.lease_id() && caches
        })
    }
}
