//! What nodes ask of each other outside the log. Nothing here is remembered: whoever gets no
//! answer asks again, or waits for the fence.

use async_trait::async_trait;
use bytes::Bytes;
use holdfast_proto::types::{ClientGuid, FileKey, LeaseKey, NodeId, SessionId};

use crate::command::{NodeLife, OpenRef};

/// A question to one incarnation of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerRequest {
    /// The grant barrier: apply the log up to `index`, then drain the I/O on `file` that began
    /// before.
    Barrier { file: FileKey, index: u64 },
    /// The open's client asks for it through another node. The owner answers
    /// [`PeerReply::ConnectionAlive`], or seals, drains, submits the release and answers
    /// [`PeerReply::Done`].
    Release { open: OpenRef, session: SessionId },
    /// The session's user logged on elsewhere and named it as PreviousSessionId: seal and drain
    /// its opens, end it in the log, close it.
    EndSession { session: SessionId },
    /// Has the client of this lease been sent the notification of this epoch, or is none of its
    /// connections left here? Answered when it is so.
    BreakTold { client_guid: ClientGuid, key: LeaseKey, epoch: u16, index: u64 },
    /// An administrator's: serve no client until [`PeerRequest::ServeAgain`] or the next life.
    /// Answered with [`PeerReply::Done`] once every session has ended and the storage is left
    /// alone; asked again until it is so.
    Withdraw,
    /// Takes [`PeerRequest::Withdraw`] back.
    ServeAgain,
    /// A part of an examination of the cluster: clocks, the path between nodes, the storage. What
    /// is asked the server alone knows; at most [`EXAMINE_BYTES_MAX`].
    Examine(Bytes),
}

/// The most that is said in one question or answer of an examination.
pub const EXAMINE_BYTES_MAX: usize = 64 << 10;

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerReply {
    /// It is so.
    Done,
    /// The open's connection lives here: the letter's status applies.
    ConnectionAlive,
    /// Not this incarnation, or it cannot say now.
    NotNow,
    /// The answer to [`PeerRequest::Examine`].
    Examined(Bytes),
}

/// No answer came: the peer is dead, cut off or slow. Unknown, not refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("node {0} did not answer")]
pub struct PeerSilent(pub NodeId);

/// Answers the other nodes' questions; the server's side of them.
#[async_trait]
pub trait PeerHandler: Send + Sync {
    /// Must not block on the asking node's own answers.
    async fn handle(&self, from: NodeLife, request: PeerRequest) -> PeerReply;
}
