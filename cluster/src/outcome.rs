//! What the cluster decided about a command. Always taken from the submitting node's own apply.

use holdfast_proto::types::{
    AccessMask, CreateAction, CreateGuid, CreateOptions, FileKey, Guid, Incarnation, LeaseKey,
    LeaseState, OpenId, SessionId, ShareAccess, ShareId,
};

use crate::command::{Durability, DutyId, IntentId, NodeLife, OpenRef, Place, SubmitId};

/// Why a command was refused. The server maps each to one NtStatus.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// The submitting incarnation is fenced or has left.
    NodeGone,
    /// The open was taken over, closed, or never was.
    StaleOpen,
    /// The session is not there any more.
    NoSession,
    /// The client speaks another dialect on another connection ([MS-SMB2] 3.3.5.4).
    OtherDialect,
    /// Another open does not share what is asked, or the other way round.
    SharingViolation,
    /// Held by an open whose client is away ([MS-SMB2] 3.3.5.9).
    FileNotAvailable,
    AccessDenied,
    ObjectNameNotFound,
    ObjectNameCollision,
    /// The CreateGuid is in use.
    DuplicateObjectId,
    /// A replay whose parameters differ.
    ContextMismatch,
    InvalidParameter,
    DeletePending,
    CannotDelete,
    /// The binding of name and file changed while the command was under way: look the name up
    /// again.
    PlaceChanged,
    LockNotGranted,
    /// The range runs past the end of what can be addressed.
    InvalidLockRange,
    RangeNotLocked,
    /// The wait was cancelled.
    Cancelled,
    /// The lease is not breaking.
    Unsuccessful,
    /// The acknowledged state is not a subset of the one broken to.
    RequestNotAccepted,
    /// A table's bound is reached.
    InsufficientResources,
    /// A share, user, node or cluster of that name exists.
    Exists,
    /// No such share, user or node.
    NotFound,
    /// The share is in use.
    InUse,
    /// The incarnation's claim contradicts what the state knows (a node of that id lives).
    NodeLives,
    /// The node joined before with another folder: it forgot what it had promised.
    OtherFolder,
    /// The volume failed an examination: no share on it can be continuously available.
    UnfitVolume,
}

/// The lease as a CREATE's answer tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeaseGrant {
    pub key: LeaseKey,
    pub state: LeaseState,
    pub epoch: u16,
    pub version: u8,
    pub parent_key: Option<LeaseKey>,
    /// SMB2_LEASE_FLAG_BREAK_IN_PROGRESS.
    pub breaking: bool,
}

/// Who must have applied a grant and drained older I/O on the file before it is answered.
/// Nodes that are fenced meanwhile need not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Barrier {
    /// The file whose I/O drains.
    pub file: FileKey,
    /// The log index of the grant.
    pub index: u64,
    /// Nodes with an open on the file, the asking one included. Empty: nothing to wait for.
    pub nodes: Vec<NodeLife>,
}

/// An open that was given out, or given back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenGrant {
    pub open: OpenRef,
    pub file: FileKey,
    pub place: Place,
    pub directory: bool,
    pub share: ShareId,
    pub action: CreateAction,
    /// What the open may do: the saved access at a reconnect.
    pub access: AccessMask,
    pub share_access: ShareAccess,
    pub create_options: CreateOptions,
    pub durability: Durability,
    pub create_guid: Option<CreateGuid>,
    pub lease: Option<LeaseGrant>,
    pub oplock: u8,
    pub channel_sequence: u16,
    /// An earlier answer is given again (replay), or an open is attached again.
    pub attached: bool,
    pub barrier: Barrier,
    /// The position of a directory's listing.
    pub search: Option<(String, String)>,
}

/// A lease that an I/O breaks, and who has to tell its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BrokenLease {
    /// The client's.
    pub client_guid: Guid,
    pub key: LeaseKey,
    /// The epoch that the notification carries.
    pub epoch: u16,
    /// The node that delivers it; none if the client is away.
    pub teller: Option<NodeLife>,
}

/// Something decided that waits for its storage step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DutyKind {
    /// Remove the name; the file at it must be `file`.
    Delete { file: FileKey, place: Place, directory: bool },
    /// Move `file` from one name to the other, replacing `replace` if that is there.
    Rename { file: FileKey, from: Place, to: Place, replace: Option<FileKey>, directory: bool },
}

/// A duty and its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duty {
    pub id: DutyId,
    pub share: ShareId,
    pub kind: DutyKind,
}

/// What was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing to say but that it is so.
    Done,
    Refused(Refusal),
    /// Will be settled later, by [`crate::effect::Effect::Settled`] with this id.
    Waiting(SubmitId),
    /// The join: this incarnation, and the upper half of the node's session ids.
    Joined {
        incarnation: Incarnation,
        session_prefix: u32,
    },
    Granted(Box<OpenGrant>),
    /// Do the storage step, then [`crate::command::Command::GrantCreate`]. Before it is answered,
    /// each teller of `broken` must have sent its notification, as for [`Outcome::Broken`].
    Intent {
        intent: IntentId,
        index: u64,
        broken: Vec<BrokenLease>,
    },
    /// The open is still bound to `owner`: ask it for a release, or wait for its fence.
    OwnedBy {
        open: OpenRef,
        owner: NodeLife,
        session: SessionId,
    },
    /// The lock is held once the barrier is through and each teller of `broken` has sent its
    /// notification. `replayed`: a LockSequence seen before.
    Locked {
        barrier: Barrier,
        replayed: bool,
        broken: Vec<BrokenLease>,
    },
    /// The leases that lost READ; each teller must have sent its notification before the I/O is
    /// answered.
    Broken {
        index: u64,
        leases: Vec<BrokenLease>,
    },
    /// The open is closed; `duty` if its last close decided something.
    Closed {
        duty: Option<Duty>,
    },
    /// The opens of a session or tree are closed or detached; the duties that came of it.
    Ended {
        detached: Vec<OpenId>,
        duties: Vec<Duty>,
    },
    /// The delete-pending state is set once the barrier is through. `changed`: it was not so
    /// before.
    DeletePendingSet {
        barrier: Barrier,
        changed: bool,
    },
    /// Carry the duty out, then [`crate::command::Command::EndDuty`].
    Begun {
        duty: Duty,
    },
}
