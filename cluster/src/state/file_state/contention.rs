//! What an open that is about to happen meets on its file: refusals, lease breaks, and opens that
//! nobody can come back for.
//!
//! Opens of one lease never break each other. A holder whose client is away is treated as
//! [MS-SMB2] 3.3.5.9 and 3.3.4.7 have it: a persistent one keeps the contender waiting or out, any
//! other one gives way.

use std::collections::BTreeSet;

use holdfast_proto::types::{ClientGuid, LeaseState, OpenId};

use super::lease::{Lease, LeaseId};
use super::share_modes::{ShareMode, is_stat_only};
use super::{FileState, Open};
use crate::outcome::Refusal;

/// An open that is about to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contender {
    pub lease: Option<LeaseId>,
    pub mode: ShareMode,
    /// The content is about to be replaced.
    pub overwrites: bool,
}

/// What stands in its way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contention {
    /// Nothing helps: all else is void.
    pub refusal: Option<Refusal>,
    /// Leases to break, and to what.
    pub breaks: Vec<(LeaseId, LeaseState)>,
    /// Disconnected opens that give way.
    pub purges: BTreeSet<OpenId>,
    /// The contender has to wait for a break's end.
    pub waits: bool,
}

impl Contention {
    fn refused(refusal: Refusal) -> Contention {
        Contention { refusal: Some(refusal), ..Contention::default() }
    }
}

impl FileState {
    /// What `contender` meets. `reachable` tells whether a client has a session anywhere.
    pub fn contend(
        &self,
        contender: &Contender,
        reachable: &dyn Fn(ClientGuid) -> bool,
    ) -> Contention {
        if self.delete_pending {
            return Contention::refused(Refusal::DeletePending);
        }
        if let Some(refusal) = self.kept_out_by_absent(contender) {
            return Contention::refused(refusal);
        }
        let mut met = Contention::default();
        let mut breaks_handle = false;
        for open in self.opens().filter(|open| self.share_conflict(open, contender)) {
            let lease = self.foreign_lease(open, contender);
            if let Some((id, lease)) = lease.filter(|(_, l)| l.state.contains(LeaseState::HANDLE)) {
                breaks_handle = true;
                let to = if contender.overwrites {
                    LeaseState::NONE
                } else {
                    lease.state.without(LeaseState::HANDLE)
                };
                self.meet_break(&mut met, id, lease, to, true, reachable);
            } else if open.is_disconnected() && !open.is_persistent() {
                met.purges.insert(open.id);
            } else if open.is_disconnected() {
                return Contention::refused(Refusal::FileNotAvailable);
            } else {
                return Contention::refused(Refusal::SharingViolation);
            }
        }
        if !breaks_handle {
            self.meet_caching(&mut met, contender, reachable);
        }
        met
    }

    /// True if the share modes of `open` and of the contender exclude each other.
    fn share_conflict(&self, open: &Open, contender: &Contender) -> bool {
        ShareMode { access: open.access, share: open.share_access }.conflicts(contender.mode)
    }

    /// True if the share modes alone keep the contender out: how a wait that ran out is answered.
    pub fn share_modes_conflict(&self, mode: ShareMode) -> bool {
        let contender = Contender { lease: None, mode, overwrites: false };
        self.opens().any(|open| self.share_conflict(open, &contender))
    }

    fn foreign_lease(&self, open: &Open, contender: &Contender) -> Option<(LeaseId, &Lease)> {
        let id = open.lease_id().filter(|id| Some(*id) != contender.lease)?;
        Some((id, self.lease(id)?))
    }

    /// A file whose persistent holder is away is available only through a handle lease, which
    /// can be broken when the holder comes back; READ under byte-range locks is gone anyway. A
    /// directory is kept from nobody whom its share mode lets in.
    fn kept_out_by_absent(&self, contender: &Contender) -> Option<Refusal> {
        if self.directory {
            return None;
        }
        let absent = self.opens().filter(|open| open.is_disconnected() && open.is_persistent());
        for open in absent {
            if open.lease_id().is_some() && open.lease_id() == contender.lease {
                continue;
            }
            let state = open
                .lease_id()
                .and_then(|id| self.lease(id))
                .map_or(LeaseState::NONE, |lease| lease.state);
            let locked = !self.locks.is_empty() && !state.contains(LeaseState::WRITE);
            if !state.contains(LeaseState::HANDLE) || locked {
                return Some(Refusal::FileNotAvailable);
            }
        }
        None
    }

    /// The breaks that caching needs: WRITE against any open that does more than look, everything
    /// against an overwrite, which waits for WRITE only.
    fn meet_caching(
        &self,
        met: &mut Contention,
        contender: &Contender,
        reachable: &dyn Fn(ClientGuid) -> bool,
    ) {
        if is_stat_only(contender.mode.access) && !contender.overwrites {
            return;
        }
        for (id, lease) in self.leases().filter(|(id, _)| Some(*id) != contender.lease) {
            let writes = lease.state.contains(LeaseState::WRITE);
            if contender.overwrites && !lease.state.is_empty() {
                self.meet_break(met, id, lease, LeaseState::NONE, writes, reachable);
            } else if writes {
                let to = lease.state.without(LeaseState::WRITE);
                self.meet_break(met, id, lease, to, true, reachable);
            }
        }
    }

    /// Notes a break, or what takes its place. One that runs already is waited for if it has to
    /// be, or if it leaves bits that have to go.
    fn meet_break(
        &self,
        met: &mut Contention,
        id: LeaseId,
        lease: &Lease,
        to: LeaseState,
        wait: bool,
        reachable: &dyn Fn(ClientGuid) -> bool,
    ) {
        if !reachable(id.client_guid) && !self.is_lease_persistent(id) {
            met.purges.extend(self.lease_opens(id).map(|open| open.id));
            return;
        }
        match &lease.breaking {
            Some(breaking) => met.waits |= wait || !to.contains(breaking.to()),
            None => {
                if !met.breaks.iter().any(|(other, _)| *other == id) {
                    met.breaks.push((id, to));
                }
                met.waits |= wait;
            }
        }
    }

    /// The breaks that an I/O by `lease`'s open needs before it changes what others may have
    /// cached: everything goes, and only WRITE is waited for.
    pub fn contend_io(
        &self,
        lease: Option<LeaseId>,
        reachable: &dyn Fn(ClientGuid) -> bool,
    ) -> Contention {
        let mut met = Contention::default();
        for (id, other) in self.leases().filter(|(id, _)| Some(*id) != lease) {
            if !other.state.is_empty() {
                let writes = other.state.contains(LeaseState::WRITE);
                self.meet_break(&mut met, id, other, LeaseState::NONE, writes, reachable);
            }
        }
        met
    }

    /// The breaks that a rename or a deletion needs: the handles that others keep cached.
    pub fn contend_name(
        &self,
        lease: Option<LeaseId>,
        reachable: &dyn Fn(ClientGuid) -> bool,
    ) -> Contention {
        let mut met = Contention::default();
        for (id, other) in self.leases().filter(|(id, _)| Some(*id) != lease) {
            if other.state.contains(LeaseState::HANDLE) {
                let to = other.state.without(LeaseState::HANDLE);
                self.meet_break(&mut met, id, other, to, true, reachable);
            }
        }
        met
    }
}
