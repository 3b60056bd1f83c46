//! What an entry makes nodes do. Hints only: each can be derived again from the state, so a node
//! that missed one asks the state what is due to it.

use holdfast_proto::types::{ClientGuid, LeaseKey, LeaseState, NodeId, SessionId};

use crate::command::{IntentId, NodeLife, SubmitId};
use crate::outcome::{Duty, Outcome};

/// Where in the log an effect stands; repeats are dropped by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EffectId {
    pub index: u64,
    pub ordinal: u32,
}

/// A lease break notification ([MS-SMB2] 2.2.23.2), kept in the state until it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakNotification {
    pub client_guid: ClientGuid,
    pub key: LeaseKey,
    pub current: LeaseState,
    pub new: LeaseState,
    /// One more than the last that the client was told; a version 1 lease's client ignores it.
    pub epoch: u16,
    pub ack_required: bool,
}

/// What a node is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Send the notification over any connection of its client, then submit
    /// [`crate::command::Command::BreakSent`]. A notification of this epoch that this incarnation
    /// has sent already is not sent again, unless the open was given back since.
    SendBreak { to: NodeLife, notification: BreakNotification },
    /// A waiting command of that node is decided.
    Settled { wait: SubmitId, outcome: Outcome },
    /// The session was ended from elsewhere.
    EndSession { to: NodeLife, session: SessionId },
    /// The node owns this storage step now.
    RunDuty { to: NodeId, duty: Duty },
    /// The node owns this open intent now: look for its mark, then grant or drop it.
    ResolveIntent { to: NodeId, intent: IntentId },
    /// The incarnation is suspected, and `fencer` is to bring the proof.
    Fence { fencer: NodeId, life: NodeLife },
    /// The incarnation can do nothing any more: barriers need not wait for it.
    NodeEnded { life: NodeLife },
}
