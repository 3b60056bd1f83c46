//! What is recorded of a run. Pure data: the checkers judge it, the trace prints it, and its hash
//! tells whether two runs were the same.

use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use holdfast_proto::types::{FileKey, LeaseKey, LeaseState, NodeId, OpenId};

/// Simulated time since the world began.
pub type At = Duration;

/// A client of the simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ClientId(pub u8);

/// A handle as its client counts it: never reused, also when an open is created anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HandleId(pub u64);

/// One logical operation of a client, its repeats included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OpNumber(pub u64);

/// What a block was filled with: unique for each logical write; 0 is what nobody wrote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stamp(pub u64);

/// A block of a file: what data is written and read in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Block {
    pub file: String,
    pub index: u32,
}

/// Who sent an operation to the storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By {
    pub life: NodeLife,
    /// The open and its generation.
    pub open: Option<(OpenId, u64)>,
}

/// What the storage was asked for, as far as checkers care.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StorageOp {
    Read {
        file: FileKey,
        offset: u64,
        length: u64,
    },
    Write {
        file: FileKey,
        offset: u64,
        length: u64,
    },
    /// A size change or an overwrite.
    Resize {
        file: FileKey,
    },
    /// A file got its name.
    Named {
        file: Option<FileKey>,
        name: String,
    },
    /// A name was removed.
    Removed {
        file: FileKey,
        name: String,
    },
    /// Anything else that changes something.
    Change,
    /// Anything else.
    Look,
}

impl StorageOp {
    /// True if file data changes.
    pub fn changes_data(&self) -> bool {
        matches!(self, StorageOp::Write { .. } | StorageOp::Resize { .. })
    }
}

/// How a logical write ended for its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteEnd {
    Acknowledged,
    /// Refused at the first attempt: it never took effect.
    Refused,
    /// Unknown; but whatever it did was done by now (its handle was reclaimed or is gone).
    Settled,
}

/// Something a client did or learnt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientEvent {
    /// A CREATE is sent for the first time.
    CreateInvoked {
        handle: HandleId,
        file: String,
        exclusive: bool,
    },
    /// The CREATE of a new name, used by nobody else, came back with something else than "created".
    NotCreated {
        handle: HandleId,
        file: String,
        answer: String,
    },
    /// A handle is had. `timeout`: what was promised for a lost connection; none if nothing was.
    Opened {
        handle: HandleId,
        open: OpenId,
        file: String,
        timeout: Option<Duration>,
    },
    /// The server answered a request on the handle, sent at `sent`, as only one that has the open
    /// can.
    Confirmed {
        handle: HandleId,
        sent: At,
    },
    /// The handle was given back on a node; `elsewhere`: another node than the one before.
    Reclaimed {
        handle: HandleId,
        elsewhere: bool,
    },
    /// A replayed CREATE was answered after its first answer was lost.
    Replayed {
        handle: HandleId,
    },
    /// The server says there is no such open. `confirmed`: when the last answered request was sent.
    Lost {
        handle: HandleId,
        confirmed: At,
        answer: String,
    },
    /// CLOSE is sent.
    CloseInvoked {
        handle: HandleId,
    },
    WriteInvoked {
        op: OpNumber,
        handle: HandleId,
        block: Block,
        stamp: Stamp,
    },
    WriteEnded {
        op: OpNumber,
        end: WriteEnd,
    },
    /// A READ came back. `invoked`: when it was sent; for a read from the client's cache, the last
    /// moment of which the client knows that every break written before it has been processed.
    ReadReturned {
        handle: HandleId,
        block: Block,
        stamp: Stamp,
        invoked: At,
        cached: bool,
    },
    /// A block held parts of different writes.
    TornBlock {
        block: Block,
    },
    /// An exclusive byte-range lock is held.
    Locked {
        handle: HandleId,
        block: Block,
        invoked: At,
    },
    /// From here on it may be gone.
    UnlockInvoked {
        handle: HandleId,
        block: Block,
    },
    /// The client saw a lease's state and epoch.
    LeaseSeen {
        key: LeaseKey,
        state: LeaseState,
        epoch: u16,
    },
    /// The lease ended with its last handle.
    LeaseGone {
        key: LeaseKey,
    },
    /// A lease break notification came.
    BreakReceived {
        key: LeaseKey,
        from: LeaseState,
        to: LeaseState,
        epoch: u16,
    },
    /// A message was wrong: signature, order, content.
    BadAnswer {
        what: String,
    },
    /// The client's part of the run is over; `finished`: all that it wanted to do in the last phase
    /// is done.
    Done {
        finished: bool,
        why: String,
    },
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// An operation was handed to the storage. `lease_held`: the issuer's node lease held at that
    /// moment; `excused`: the node had been frozen between its check and this act.
    Submitted {
        number: u64,
        by: By,
        op: StorageOp,
        lease_held: bool,
        excused: bool,
    },
    /// It took effect, if `ok`.
    Applied {
        number: u64,
        by: By,
        op: StorageOp,
        ok: bool,
    },
    /// It never will.
    Dropped {
        number: u64,
        by: By,
        why: &'static str,
    },
    /// A replica applied a log entry. `content`: hash of the entry; `state`: hash of the state
    /// after it; `broken`: an invariant of the state that does not hold.
    EntryApplied {
        node: NodeId,
        index: u64,
        term: u64,
        content: u64,
        state: u64,
        broken: Option<String>,
    },
    /// The storage lost power: what was not made stable may be gone.
    StoragePowerCut,
    /// The log says that an incarnation can touch nothing any more.
    LifeEnded {
        life: NodeLife,
        index: u64,
    },
    /// A node hands a successful answer about an open's data to the network.
    Replied {
        life: NodeLife,
        lease_held: bool,
        fenced: bool,
        excused: bool,
    },
    Client {
        client: ClientId,
        event: ClientEvent,
    },
    /// A fault began or ended.
    Fault {
        what: String,
    },
}
