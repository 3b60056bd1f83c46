//! The replicated state and `apply`, the only way to change it.
//!
//! Pure: an entry and the state before it give the state after it, on every node and at any time.
//! Never knows: clocks, I/O, randomness, the order of a hash map, which node it runs on. A command
//! that does not hold is refused; only invariants of the state itself are asserted, for a panic
//! here would end every replica at the same entry.

mod account;
mod deadline;
mod due;
mod file_state;
mod indexes;
mod intent;
mod invariants;
pub mod limits;
mod node;
mod read;
mod session;
mod wait;
mod window;

use std::sync::Arc;

use holdfast_proto::types::{FileKey, FoldedName, NodeId, SessionId};
use imbl::OrdMap;

use crate::apply::Step;
use crate::command::{Command, DutyId, IntentId, NodeLife, SubmitId};
use crate::effect::Effect;
use crate::log_time::LogTime;
use crate::outcome::Outcome;

pub use account::{ClusterInfo, FIRST_RID, ShareRecord, UnfitVolume, UserRecord};
pub use deadline::DeadlineRow;
pub use file_state::{
    Binding, BreakTimer, Breaking, ByteLock, Contender, Contention, FileState, Lease, LeaseId,
    Open, ShareMode, is_addressable, is_stat_only,
};
pub use indexes::{Beneath, GuidUse};
pub use intent::{DutyRecord, Intent, NameHolder};
pub use node::{NodeEnd, NodeRecord, NodeStatus};
pub use session::SessionRecord;
pub use wait::{NameKey, Reservation, Wait, WaitNumber, WaitOn};
pub use window::{Known, Window};

pub(crate) use indexes::Indexes;

/// What was given out and is never given out again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counters {
    pub joins: u32,
    pub open: u64,
    pub intent: u64,
    pub duty: u64,
    pub wait: u64,
    pub share: u64,
    pub rid: u32,
}

impl Default for Counters {
    fn default() -> Counters {
        Counters { joins: 0, open: 0, intent: 0, duty: 0, wait: 0, share: 0, rid: FIRST_RID }
    }
}

/// Everything that the cluster agrees on. Equal on every node that applied the same entries.
/// A clone is cheap: the tables are persistent maps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    pub(crate) time: LogTime,
    pub(crate) cluster: Option<ClusterInfo>,
    pub(crate) counters: Counters,
    pub(crate) nodes: OrdMap<NodeId, NodeRecord>,
    pub(crate) shares: OrdMap<FoldedName, ShareRecord>,
    pub(crate) users: OrdMap<FoldedName, UserRecord>,
    pub(crate) sessions: OrdMap<SessionId, SessionRecord>,
    pub(crate) files: OrdMap<FileKey, Arc<FileState>>,
    pub(crate) intents: OrdMap<IntentId, Arc<Intent>>,
    pub(crate) duties: OrdMap<DutyId, Arc<DutyRecord>>,
    pub(crate) waits: OrdMap<WaitNumber, Arc<Wait>>,
    pub(crate) windows: OrdMap<NodeLife, Window>,
    pub(crate) indexes: Indexes,
}

/// One log entry, decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The leader's stamp: elapsed leader time since its previous entry, at most
    /// [`LogTime::STEP_MAX_NANOS`].
    pub elapsed_nanos: u64,
    /// Whose command it is.
    pub submit: SubmitId,
    pub command: Command,
}

/// What applying one entry came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    pub outcome: Outcome,
    /// In order; their ordinals are their positions.
    pub effects: Vec<Effect>,
}

impl State {
    /// Applies the entry at log index `index`: the only way to change the state.
    pub fn apply(&mut self, index: u64, entry: &Entry) -> Applied {
        let elapsed = entry.elapsed_nanos.min(LogTime::STEP_MAX_NANOS);
        self.time = LogTime(self.time.0.saturating_add(elapsed));
        Step::new(self, index, entry.submit).run(&entry.command)
    }
}
