//! What a node may ask the cluster to decide. One variant, one file in `apply/`.
//!
//! A command is a request, not a fact: `apply` refuses what does not hold when its turn comes.
//! Variants and their fields are only ever added to.

use holdfast_proto::types::{
    AccessMask, ClientGuid, CreateAction, CreateDisposition, CreateGuid, CreateOptions,
    FileAttributes, FileKey, FoldedName, Guid, Incarnation, LeaseKey, LeaseState, NodeId, OpenId,
    SessionId, ShareAccess, ShareId, Sid, VolumeId,
};

/// Who submitted a command, and which of its commands it is. The outcome of a repeated submit is
/// the first one's, for as long as the dedupe window lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SubmitId {
    /// The submitting node.
    pub node: NodeId,
    /// Its incarnation; 0 only for [`Command::JoinNode`] and commands of an administrator before
    /// a join.
    pub incarnation: Incarnation,
    /// Counts up within the incarnation. For a join: a random number of that boot.
    pub sequence: u64,
}

/// A node and one life of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeLife {
    pub node: NodeId,
    pub incarnation: Incarnation,
}

/// The intent of a creating or overwriting CREATE: a counter in the state, never reused. It is
/// also the mark that the staged file carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct IntentId(pub u64);

/// A step on the storage that the cluster has decided and that someone must carry out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct DutyId(pub u64);

/// Where a file hangs in the tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The directory that holds the name. For the root of the volume: the root itself.
    pub parent: FileKey,
    /// The directories above `parent`, from the root of the volume (first) down; without
    /// `parent`.
    pub ancestors: Vec<FileKey>,
    /// The path from the root of the volume as it is spelt on the storage, components joined by
    /// `/`; empty for the root. Another node opens the file by it and then checks the FileKey.
    pub path: String,
}

impl Place {
    /// The last component as it is spelt on the storage.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    /// The last component, folded: with `parent`, what reservations are keyed by.
    pub fn folded(&self) -> FoldedName {
        FoldedName::new(self.name())
    }
}

/// What an open asks to survive ([MS-SMB2] 3.3.5.9.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// Dies with its connection.
    #[default]
    None,
    /// Survives the loss of its connection, and of its node, for `timeout_millis`.
    Durable { timeout_millis: u64 },
    /// Survives whatever the cluster survives, for `timeout_millis`.
    Persistent { timeout_millis: u64 },
}

/// The lease context of a CREATE ([MS-SMB2] 2.2.13.2.8, 2.2.13.2.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeaseRequest {
    pub key: LeaseKey,
    pub state: LeaseState,
    /// For version 2 with the parent flag set.
    pub parent_key: Option<LeaseKey>,
    /// The client's epoch (version 2).
    pub epoch: u16,
    /// 1 or 2.
    pub version: u8,
}

/// Everything about a CREATE that decides and that the Open keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenTerms {
    pub session: SessionId,
    pub client_guid: ClientGuid,
    /// Open.DurableOwner.
    pub owner: Sid,
    pub share: ShareId,
    /// DesiredAccess as the client sent it: replays compare it.
    pub desired_access_raw: AccessMask,
    /// What is granted: generic bits mapped, MAXIMUM_ALLOWED resolved.
    pub access: AccessMask,
    pub share_access: ShareAccess,
    pub disposition: CreateDisposition,
    /// CreateOptions as the client sent them: replays compare them.
    pub create_options_raw: CreateOptions,
    /// With what the server forces (write-through) and clears.
    pub create_options: CreateOptions,
    pub file_attributes: FileAttributes,
    pub durability: Durability,
    pub create_guid: Option<CreateGuid>,
    /// SMB2_FLAGS_REPLAY_OPERATION.
    pub replay: bool,
    pub lease: Option<LeaseRequest>,
    /// RequestedOplockLevel where it is not a lease: 0, 1, 8 or 9. Not yet granted: the outcome
    /// says none.
    pub oplock: u8,
    /// The CREATE header's ChannelSequence.
    pub channel_sequence: u16,
    /// The share is continuously available.
    pub continuously_available: bool,
}

/// One element of a LOCK ([MS-SMB2] 2.2.26.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LockRange {
    pub offset: u64,
    pub length: u64,
    pub exclusive: bool,
}

/// LockSequenceNumber and LockSequenceIndex of a LOCK; an index of 0 is not sent here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockSequence {
    /// 1 to 64.
    pub index: u8,
    /// 0 to 15.
    pub number: u8,
}

/// An open as one of its servers knows it: void when the open was taken over meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpenRef {
    pub open: OpenId,
    pub generation: u64,
}

/// How the rights of a session's opens end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndHow {
    /// The last connection was lost, or a newer session replaced this one (3.3.7.1).
    ConnectionLost,
    /// LOGOFF (3.3.5.6): every durable open stays, whatever its lease.
    LogOff,
    /// An administrator, or a failed re-authentication: everything is closed.
    Closed,
}

/// What shows that an incarnation can touch no storage any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FenceProof {
    /// Its process was seen to have ended, and the incarnation's lock to have dropped.
    ProcessEnded { pid: u32, lock_dropped: bool },
    /// The same node joined again, holding the folder's exclusive lock.
    Rejoined,
    /// Another boot of the same host was seen.
    HostRebooted,
    /// A fencer of the site said so.
    Command { exit_status: i32 },
}

/// How a node can be fenced and reached; said at its join.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeIdentity {
    /// The node's name for people.
    pub name: String,
    /// `address:port` of its SMB listener.
    pub smb_address: String,
    /// `address:port` for the other nodes.
    pub peer_address: String,
    /// The kernel's boot id of its host: nodes with the same one share a host.
    pub boot_id: String,
    pub pid: u32,
    /// The process's start time, which tells a reused pid.
    pub process_start: u64,
    /// The incarnation's lock file, on the host named by `boot_id`.
    pub lock_path: String,
    /// The newest version of the state machine that it knows.
    pub machine_version: u32,
    /// Which folder it has; the same at all joins of a node.
    pub folder: Option<Guid>,
}

/// A share, as administrators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareSettings {
    pub name: String,
    pub comment: String,
    pub volume: VolumeId,
    /// Path within the volume; empty for its root.
    pub path: String,
    pub continuously_available: bool,
    pub encrypt: bool,
    pub read_only: bool,
    /// CATimeout: how long a persistent open waits for its client, in milliseconds.
    pub ca_timeout_millis: u64,
}

/// A user, as the logon needs it. `Debug` never shows the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSettings {
    pub name: String,
    /// MD4 of the password in UTF-16LE.
    pub nt_hash: [u8; 16],
    pub disabled: bool,
}

impl core::fmt::Debug for UserSettings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("UserSettings")
            .field("name", &self.name)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// The cluster's timers, in milliseconds of replicated time. Settled when the cluster is founded;
/// simulations draw them smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timers {
    /// A lease break's acknowledgement.
    pub break_ack_millis: u64,
    /// The same, while a persistent open holds the lease.
    pub break_ack_persistent_millis: u64,
    /// How long a contender waits, all in all.
    pub contender_wait_millis: u64,
    /// A persistent open, where neither the request nor the share says it.
    pub persistent_millis: u64,
    /// A durable open, where the request does not say it.
    pub durable_millis: u64,
    /// The longest that a request may ask for.
    pub durable_max_millis: u64,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            break_ack_millis: 35_000,
            break_ack_persistent_millis: 60_000,
            contender_wait_millis: 200_000,
            persistent_millis: 180_000,
            durable_millis: 60_000,
            durable_max_millis: 300_000,
        }
    }
}

/// What a node asks the cluster to decide.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Leader time passes: deadlines that are due are carried out.
    Tick,

    // The cluster.
    /// The first entry of a cluster: its identity. Refused if there is one.
    FoundCluster {
        cluster_id: Guid,
        server_guid: Guid,
        name: String,
        timers: Timers,
    },
    /// A node begins a life. Its earlier incarnation, if any, is fenced by `proof`.
    JoinNode {
        node: NodeId,
        identity: NodeIdentity,
        proof: FenceProof,
    },
    /// A node ends its life in order: it has sealed its gate and drained.
    LeaveNode {
        life: NodeLife,
    },
    /// A node is no longer heard of. Nothing moves yet; `fencer` is to bring the proof.
    SuspectNode {
        life: NodeLife,
        fencer: NodeId,
    },
    /// It was heard of again before it was fenced.
    ClearSuspicion {
        life: NodeLife,
    },
    /// The proof is there: what the incarnation owned may be taken over.
    FenceNode {
        life: NodeLife,
        proof: FenceProof,
    },
    /// Creates a share or changes it.
    PutShare {
        settings: ShareSettings,
        replace: bool,
    },
    RemoveShare {
        name: String,
    },
    /// Creates a user or changes it.
    PutUser {
        settings: UserSettings,
        replace: bool,
    },
    RemoveUser {
        name: String,
    },
    /// Whether every new session must be encrypted, whatever its shares ask for (EncryptData,
    /// [MS-SMB2] 3.3.1.5).
    SetEncryption {
        required: bool,
    },
    /// What an examination of a volume by several nodes came to: why it cannot hold shares that
    /// are continuously available, or nothing if it can.
    JudgeVolume {
        volume: VolumeId,
        unfit: Option<String>,
    },

    // Sessions.
    /// A logon succeeded on `life.node`.
    LogOn {
        life: NodeLife,
        session: SessionId,
        user: String,
        client_guid: ClientGuid,
        dialect: u16,
    },
    /// A session ends. Submitted by the node that serves it, after it sealed and drained the
    /// session's opens; it is their release.
    EndSession {
        session: SessionId,
        how: EndHow,
    },

    // Opens.
    /// Opens what exists, without changing its content.
    OpenFile {
        terms: OpenTerms,
        file: FileKey,
        place: Place,
        directory: bool,
    },
    /// Reserves the name and decides share modes and leases, before the storage is touched.
    /// `target` is the file that the name denotes now, to be overwritten; none: to be created.
    BeginCreate {
        terms: OpenTerms,
        place: Place,
        target: Option<FileKey>,
        directory: bool,
    },
    /// The storage step of an intent is done: the open is given out. By the owner of the intent,
    /// or by the node that a fence named. If the session is gone by then, the open waits for its
    /// client ([`crate::outcome::Outcome::Done`]) or is closed at once.
    GrantCreate {
        intent: IntentId,
        file: FileKey,
        action: CreateAction,
        place: Place,
    },
    /// The storage step did not happen; the reservation is dropped.
    FailCreate {
        intent: IntentId,
    },
    /// DH2C, or a replay that attaches ([MS-SMB2] 3.3.5.9.12).
    ReconnectOpen {
        open: OpenId,
        session: SessionId,
        client_guid: ClientGuid,
        owner: Sid,
        share: ShareId,
        create_guid: CreateGuid,
        persistent: bool,
        lease: Option<LeaseRequest>,
        /// The path of the request from the root of the volume, `/` between components; compared
        /// without case.
        path: String,
        channel_sequence: u16,
    },
    /// The owner sealed the open, drained its I/O and gives it up; it stays for its client.
    ReleaseOpen {
        open: OpenRef,
    },
    CloseOpen {
        open: OpenRef,
        /// Its CREATE was not answered: the open leaves no trace, and deletes nothing.
        abandoned: bool,
    },
    /// TREE_DISCONNECT: these opens of one session are closed, persistent ones too.
    CloseOpens {
        session: SessionId,
        opens: Vec<OpenId>,
    },
    /// The barrier of this open's grant is through, so a replay need not run it again.
    GrantEffective {
        open: OpenRef,
    },

    // Leases.
    /// A node wrote the notification to a connection of the client: the acknowledgement's timer
    /// starts. Where none is wanted, the notification is forgotten.
    BreakSent {
        life: NodeLife,
        client_guid: ClientGuid,
        key: LeaseKey,
        epoch: u16,
    },
    /// LEASE_BREAK acknowledgement ([MS-SMB2] 3.3.5.22.2).
    AckLeaseBreak {
        client_guid: ClientGuid,
        key: LeaseKey,
        state: LeaseState,
    },
    /// The open is about to change what other clients may have cached: their leases lose READ
    /// (and WRITE) before the data is touched.
    BreakForIo {
        open: OpenRef,
    },
    /// The grant of these lease bits never became effective everywhere: they are taken back.
    WithdrawLease {
        client_guid: ClientGuid,
        key: LeaseKey,
        state: LeaseState,
    },

    // Byte-range locks.
    Lock {
        open: OpenRef,
        ranges: Vec<LockRange>,
        /// SMB2_LOCKFLAG_FAIL_IMMEDIATELY; otherwise the request waits.
        fail_immediately: bool,
        sequence: Option<LockSequence>,
    },
    Unlock {
        open: OpenRef,
        ranges: Vec<LockRange>,
        sequence: Option<LockSequence>,
    },
    /// The lock's barrier could not be passed: it is taken back.
    WithdrawLock {
        open: OpenRef,
        ranges: Vec<LockRange>,
        /// The LOCK's own: sent again, it is not the same request any more.
        sequence: Option<LockSequence>,
    },
    /// CANCEL, or a connection that went: the waiting request is refused now, if it still waits.
    CancelWait {
        wait: SubmitId,
    },

    // Names.
    /// FileDispositionInformation.
    SetDeletePending {
        open: OpenRef,
        pending: bool,
    },
    /// Begins a rename: both names are reserved, `replace` is the file at the new name that goes.
    BeginRename {
        open: OpenRef,
        to: Place,
        replace: Option<FileKey>,
        replace_if_exists: bool,
    },
    /// A begun step on the storage was carried out, or could not be.
    EndDuty {
        duty: DutyId,
        done: bool,
    },

    // What moves with an open, written lazily.
    /// The position of a listing, so that it goes on elsewhere.
    NoteSearch {
        open: OpenRef,
        pattern: String,
        last_name: String,
    },
}
