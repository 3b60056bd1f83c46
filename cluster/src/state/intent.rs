//! Intents of creating and overwriting CREATEs, and duties: steps on the storage that are under
//! way. Each holds the names that it touches, and has an owner that finishes it; the end of the
//! owner's life names another.

use holdfast_proto::types::FileKey;
use imbl::OrdSet;

use super::wait::WaitNumber;
use crate::command::{IntentId, NodeLife, OpenTerms, Place};
use crate::outcome::{Duty, DutyKind};

/// A CREATE between its decision and its grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    pub owner: NodeLife,
    /// Its first owner ended: the present one has to look for the mark.
    pub orphaned: bool,
    pub terms: OpenTerms,
    pub place: Place,
    /// The file to be overwritten; none: to be created.
    pub target: Option<FileKey>,
    pub directory: bool,
    /// Replays of the same CREATE that met it.
    pub(crate) waiters: OrdSet<WaitNumber>,
}

/// A duty and who carries it out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DutyRecord {
    pub owner: NodeLife,
    pub duty: Duty,
}

impl DutyRecord {
    /// The file that the duty is about.
    pub fn file(&self) -> FileKey {
        match &self.duty.kind {
            DutyKind::Delete { file, .. } | DutyKind::Rename { file, .. } => *file,
        }
    }

    /// The places whose names it holds.
    pub fn places(&self) -> Vec<&Place> {
        match &self.duty.kind {
            DutyKind::Delete { place, .. } => vec![place],
            DutyKind::Rename { from, to, .. } => vec![from, to],
        }
    }
}

/// Who holds a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NameHolder {
    Intent(IntentId),
    Duty(crate::command::DutyId),
}
