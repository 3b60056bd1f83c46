//! The replicated state and `apply`, the only way to change it.

use crate::command::{Command, SubmitId};
use crate::effect::Effect;
use crate::log_time::LogTime;
use crate::outcome::Outcome;

/// Everything that the cluster agrees on. Equal on every node that applied the same entries.
#[derive(Clone, Debug, Default)]
pub struct State {
    time: LogTime,
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
    /// Replicated time.
    pub fn time(&self) -> LogTime {
        self.time
    }
}
