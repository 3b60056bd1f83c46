//! A file's handle state: its opens, leases, share modes, byte-range locks and waiting requests.
//!
//! A value of its own: everything that decides about one file is a method of it, and it could be
//! decided elsewhere. It knows no clock, no node and no other file.

mod byte_locks;
mod contention;
mod lease;
mod open;
mod share_modes;

use std::sync::Arc;

use holdfast_proto::types::{FileKey, LeaseState, OpenId, ShareId};
use imbl::{OrdMap, OrdSet};

use super::wait::WaitNumber;
use crate::command::{DutyId, IntentId, NodeLife, OpenRef, Place};
use crate::outcome::Barrier;

pub use byte_locks::{ByteLock, is_addressable};
pub use contention::{Contender, Contention};
pub use lease::{BreakTimer, Breaking, Lease, LeaseId};
pub use open::{Binding, Open};
pub use share_modes::{ShareMode, is_stat_only};

/// The state of one file while anyone has it open, waits for it, or is about to change it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileState {
    pub(crate) directory: bool,
    pub(crate) opens: OrdMap<OpenId, Arc<Open>>,
    pub(crate) leases: OrdMap<LeaseId, Lease>,
    pub(crate) locks: Vec<ByteLock>,
    pub(crate) waiters: OrdSet<WaitNumber>,
    pub(crate) delete_pending: bool,
    /// An intent is about to replace its content.
    pub(crate) overwriting: Option<IntentId>,
    /// A rename or deletion of it is being carried out.
    pub(crate) duty: Option<DutyId>,
    /// Its last open is closed and its name is to go: where, once the name is free.
    pub(crate) doomed: Option<(ShareId, Place)>,
}

impl FileState {
    /// True for a directory.
    pub fn is_directory(&self) -> bool {
        self.directory
    }

    /// True once its name goes with its last open.
    pub fn delete_pending(&self) -> bool {
        self.delete_pending
    }

    /// The step on the storage that is being carried out.
    pub fn duty(&self) -> Option<DutyId> {
        self.duty
    }

    /// Its opens, by id.
    pub fn opens(&self) -> impl Iterator<Item = &Open> {
        self.opens.values().map(|open| open.as_ref())
    }

    /// How many opens it has.
    pub fn open_count(&self) -> usize {
        self.opens.len()
    }

    /// One of its opens.
    pub fn open(&self, id: OpenId) -> Option<&Open> {
        self.opens.get(&id).map(|open| open.as_ref())
    }

    pub(crate) fn open_mut(&mut self, id: OpenId) -> Option<&mut Open> {
        self.opens.get_mut(&id).map(Arc::make_mut)
    }

    /// The nodes that serve an open of it, in order.
    pub fn nodes(&self) -> Vec<NodeLife> {
        let lives: OrdSet<NodeLife> =
            self.opens().filter_map(|open| Some(open.bound_to()?.0)).collect();
        lives.into_iter().collect()
    }

    /// Who must drain before a grant to `open` is answered: nobody if no other open is served.
    pub(crate) fn barrier(&self, file: FileKey, open: OpenRef, index: u64) -> Barrier {
        let others = self.opens().any(|other| other.id != open.open && !other.is_disconnected());
        let nodes = if others { self.nodes() } else { Vec::new() };
        Barrier { file, index, nodes }
    }

    /// The barrier of what an open holds: a lease with READ, or byte-range locks, that are not
    /// known to be through everywhere.
    pub(crate) fn grant_barrier(&self, file: FileKey, id: OpenId, index: u64) -> Barrier {
        let nobody = Barrier { file, index, nodes: Vec::new() };
        let Some(open) = self.open(id).filter(|open| !open.effective) else { return nobody };
        let reads = open
            .lease_id()
            .and_then(|lease| self.lease(lease))
            .is_some_and(|lease| lease.state.contains(LeaseState::READ));
        if reads || self.locks.iter().any(|lock| lock.open == id) {
            self.barrier(file, open.open_ref(), index)
        } else {
            nobody
        }
    }

    /// True if nothing is left to say about the file.
    pub(crate) fn is_idle(&self) -> bool {
        self.opens.is_empty()
            && self.waiters.is_empty()
            && self.overwriting.is_none()
            && self.duty.is_none()
            && self.doomed.is_none()
    }
}
