//! What a handler is given, by what its opcode needs. Ids were turned into what they stand for
//! before: a handler never looks one up.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::SessionId;

use super::Pending;
use crate::connection::Connection;
use crate::node::Node;
use crate::session::{Session, Tree};

/// What the header says that handlers may care for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestInfo {
    pub message_id: u64,
    /// Status.ChannelSequence of the request.
    pub channel_sequence: u16,
    /// SMB2_FLAGS_REPLAY_OPERATION.
    pub replay: bool,
    /// SMB2_FLAGS_RELATED_OPERATIONS.
    pub related: bool,
    /// The request came encrypted.
    pub encrypted: bool,
    /// The request was signed, and the signature is right.
    pub signed: bool,
}

/// For opcodes without a session.
#[derive(Clone, Debug)]
pub struct ConnectionContext {
    pub node: Arc<Node>,
    pub connection: Arc<Connection>,
    pub info: RequestInfo,
    /// SessionId of the header.
    pub session_id: SessionId,
    /// The session of that id, if it is one of this connection.
    pub session: Option<Arc<Session>>,
    /// The whole request, for the hash chains.
    pub message: Bytes,
}

/// For opcodes of a session.
#[derive(Clone, Debug)]
pub struct SessionContext {
    pub node: Arc<Node>,
    pub connection: Arc<Connection>,
    pub info: RequestInfo,
    pub pending: Arc<Pending>,
    pub session: Arc<Session>,
}

/// For opcodes of the tree connect to IPC$. Opcodes with a FileId are also given the pipe.
#[derive(Clone, Debug)]
pub struct PipeContext {
    pub node: Arc<Node>,
    pub connection: Arc<Connection>,
    pub info: RequestInfo,
    pub pending: Arc<Pending>,
    pub session: Arc<Session>,
    /// TreeId.
    pub tree: u32,
}

/// For opcodes of a tree connect to a share of files. Opcodes with a FileId are also given the
/// open that it denotes.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub node: Arc<Node>,
    pub connection: Arc<Connection>,
    pub info: RequestInfo,
    pub pending: Arc<Pending>,
    pub session: Arc<Session>,
    pub tree: Arc<Tree>,
}

impl RequestContext {
    /// The request is about to wait for somebody else: its interim response goes out at once and
    /// not only after [`crate::limits::INTERIM_AFTER`].
    pub fn will_wait(&self) {
        self.pending.will_wait();
    }

    /// Returns once the client cancelled the request or its connection went. The handler decides
    /// what that means; it is never dropped half-way.
    pub async fn cancelled(&self) {
        self.pending.cancelled().await;
    }
}
