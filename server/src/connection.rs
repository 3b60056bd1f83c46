//! A client's connection, as handlers and effects see it.
//!
//! Everything that leaves goes through its outbox, in order. The outbox is bounded: a client
//! that reads nothing loses its connection, never the server its memory.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use holdfast_cluster::command::OpenRef;
use holdfast_proto::NtStatus;
use holdfast_proto::header::{Header, HeaderForm};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{ClientGuid, SessionId};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tracing::{debug, info};

use crate::auth::Acceptor;
use crate::core::{
    ConnectionCore, Inbound, Misuse, Negotiated, SessionSecurity, Violation, prefix,
};
use crate::dispatch::Pending;
use crate::limits;
use crate::session::Session;
use crate::signal::Signal;

/// How many users of one connection the log names.
const USERS_NAMED_MAX: usize = 3;

/// Numbers the connections of one node's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u64);

/// The connection is gone, or went before everything was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the connection is gone")]
pub struct ConnectionGone;

/// One frame for the socket: pieces that are written one after the other, transport prefix
/// included.
#[derive(Debug)]
pub struct OutboundFrame {
    pub pieces: Vec<Bytes>,
    /// The opens that it tells about: the gate is asked once more before it is written.
    pub about: Vec<OpenRef>,
    /// Told once the frame was written and flushed.
    pub written: Option<oneshot::Sender<()>>,
}

impl OutboundFrame {
    /// All bytes of it.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// True if there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A connection of this node.
#[derive(Debug)]
pub struct Connection {
    pub id: ConnectionId,
    /// Address and port of the client, for logs.
    pub peer: String,
    core: Mutex<ConnectionCore>,
    sessions: Mutex<BTreeMap<SessionId, Arc<Session>>>,
    /// Authentications between two tokens.
    exchanges: Mutex<BTreeMap<SessionId, Acceptor>>,
    logon_failures: AtomicU32,
    /// The kinds of misuse that were logged.
    misuses: AtomicU32,
    requests: Mutex<Requests>,
    outbox: Mutex<Outbox>,
    /// Wakes the writer when something was queued.
    queued: Notify,
    /// Wakes the reader when there may be room for another request.
    room: Notify,
    closed: Signal,
}

#[derive(Debug, Default)]
struct Outbox {
    frames: VecDeque<OutboundFrame>,
    bytes: usize,
}

/// Requests that have begun and were not answered, by message id, which is also their AsyncId.
#[derive(Debug, Default)]
struct Requests {
    pending: BTreeMap<u64, Arc<Pending>>,
    /// What those count as that got no interim response.
    charges: u32,
    /// What those count as that got one.
    asynchronous: u32,
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(id: ConnectionId, peer: String) -> Connection {
        Connection {
            id,
            peer,
            core: Mutex::default(),
            sessions: Mutex::default(),
            exchanges: Mutex::default(),
            logon_failures: AtomicU32::new(0),
            misuses: AtomicU32::new(0),
            requests: Mutex::default(),
            outbox: Mutex::default(),
            queued: Notify::new(),
            room: Notify::new(),
            closed: Signal::new(),
        }
    }

    /// ClientGuid of the NEGOTIATE; zeros before it.
    pub fn client_guid(&self) -> ClientGuid {
        self.negotiated().map(|negotiated| negotiated.client_guid).unwrap_or_default()
    }

    /// What NEGOTIATE agreed on.
    pub fn negotiated(&self) -> Option<Negotiated> {
        self.core.lock().negotiated()
    }

    /// The wire state, for a short look or change.
    pub(crate) fn core<T>(&self, look: impl FnOnce(&mut ConnectionCore) -> T) -> T {
        look(&mut self.core.lock())
    }

    /// True once the connection is being closed.
    pub fn is_closed(&self) -> bool {
        self.closed.is_raised()
    }

    /// Returns once the connection is being closed.
    pub async fn wait_closed(&self) {
        self.closed.wait().await;
    }

    /// Closes the connection. What waits for the socket is dropped and every request under way
    /// is told; sessions end through the connection's task.
    pub fn close(&self, why: &str) {
        if !self.closed.raise() {
            return;
        }
        info!(peer = %self.peer, client = %self.client_guid(), user = %self.users(), why,
            "connection closed");
        *self.outbox.lock() = Outbox::default();
        self.queued.notify_one();
        self.room.notify_one();
        let pending: Vec<_> = self.requests.lock().pending.values().cloned().collect();
        for pending in pending {
            pending.cancel();
        }
    }

    /// Sends an unsolicited message, which is neither signed nor encrypted ([MS-SMB2] 3.3.4.6,
    /// 3.3.4.7): the lease and oplock break notifications. `message` is header and body.
    /// Returns once it was written to the socket.
    pub async fn notify(&self, message: Bytes) -> Result<(), ConnectionGone> {
        let (written_tx, written_rx) = oneshot::channel();
        let pieces = vec![prefix(message.len()), message];
        let frame = OutboundFrame { pieces, about: Vec::new(), written: Some(written_tx) };
        self.enqueue(frame)?;
        written_rx.await.map_err(|_| ConnectionGone)
    }

    /// Queues a frame. A full outbox closes the connection.
    pub(crate) fn enqueue(&self, frame: OutboundFrame) -> Result<(), ConnectionGone> {
        let full = {
            let mut outbox = self.outbox.lock();
            if self.closed.is_raised() {
                return Err(ConnectionGone);
            }
            let full = outbox.bytes + frame.len() > limits::OUTBOX_MAX;
            if !full {
                outbox.bytes += frame.len();
                outbox.frames.push_back(frame);
            }
            full
        };
        if full {
            self.close("the client does not read what it asked for");
            return Err(ConnectionGone);
        }
        self.queued.notify_one();
        Ok(())
    }

    /// The next frame to write; none once the connection is closed. One caller only: the writer.
    pub(crate) async fn next_frame(&self) -> Option<OutboundFrame> {
        loop {
            if self.is_closed() {
                return None;
            }
            let frame = self.outbox.lock().frames.pop_front();
            match frame {
                Some(frame) => return Some(frame),
                None => self.queued.notified().await,
            }
        }
    }

    /// The writer has written a frame of that many bytes.
    pub(crate) fn note_written(&self, bytes: usize) {
        let mut outbox = self.outbox.lock();
        outbox.bytes = outbox.bytes.saturating_sub(bytes);
        drop(outbox);
        self.room.notify_one();
    }

    /// Returns once so little runs and waits for the socket that another request may be read.
    /// One caller only: the reader.
    pub(crate) async fn wait_room(&self) {
        loop {
            let written = self.outbox.lock().bytes <= limits::OUTBOX_PAUSE;
            let idle = self.requests.lock().charges < limits::CHARGES_IN_FLIGHT_MAX;
            if (written && idle) || self.is_closed() {
                return;
            }
            self.room.notified().await;
        }
    }

    /// Takes a request's message ids, and keeps what CANCEL will look for.
    pub(crate) fn begin(&self, request: &Inbound) -> Result<Arc<Pending>, Violation> {
        self.core.lock().admit(&request.header)?;
        let pending = Arc::new(Pending::new(request.charge()));
        let mut requests = self.requests.lock();
        requests.charges += pending.charge;
        requests.pending.insert(request.header.message_id, pending.clone());
        Ok(pending)
    }

    /// The request is about to get its interim response; false if too much waits behind one.
    pub(crate) fn go_async(&self, pending: &Pending) -> bool {
        let charge = pending.charge;
        let mut requests = self.requests.lock();
        if requests.asynchronous + charge > limits::ASYNC_CHARGES_MAX {
            return false;
        }
        requests.asynchronous += charge;
        requests.charges -= charge;
        drop(requests);
        self.room.notify_one();
        true
    }

    /// The request is over.
    pub(crate) fn finish(&self, header: &Header, pending: &Pending, asynchronous: bool) {
        let mut requests = self.requests.lock();
        requests.pending.remove(&header.message_id);
        if asynchronous {
            requests.asynchronous -= pending.charge;
        } else {
            requests.charges -= pending.charge;
        }
        drop(requests);
        self.room.notify_one();
    }

    /// CANCEL ([MS-SMB2] 3.3.5.16): told to the request that it names, if it still runs.
    pub(crate) fn cancel(&self, header: &Header) {
        let id = match header.form {
            HeaderForm::Async { async_id } => async_id,
            HeaderForm::Sync { .. } => header.message_id,
        };
        let pending = self.requests.lock().pending.get(&id).cloned();
        if let Some(pending) = pending {
            pending.cancel();
        }
    }

    /// Credits for a response.
    pub(crate) fn grant(&self, requested: u16) -> u16 {
        self.core.lock().grant(requested)
    }

    /// Takes into the hash chains what belongs there ([MS-SMB2] 3.3.5.4, 3.3.5.5). `frame` is a
    /// frame's pieces, the prefix first; neither opcode is ever part of a compound.
    pub(crate) fn note_response(&self, header: &Header, frame: &[Bytes]) {
        let message: Vec<&[u8]> = frame.iter().skip(1).map(AsRef::as_ref).collect();
        match (header.command, header.status) {
            (Opcode::NEGOTIATE, NtStatus::SUCCESS) => {
                self.core.lock().note_negotiate_response(&message);
            }
            (Opcode::SESSION_SETUP, NtStatus::MORE_PROCESSING_REQUIRED) => {
                self.core.lock().note_setup_response(header.session_id, &message);
            }
            _ => {}
        }
    }

    /// The session of that id, if it lives on this connection.
    pub fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        self.sessions.lock().get(&id).cloned()
    }

    /// The keys of that session.
    pub(crate) fn security(&self, id: SessionId) -> Option<Arc<SessionSecurity>> {
        self.sessions.lock().get(&id).map(|session| session.security.clone())
    }

    /// The sessions of this connection, in order of id.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.lock().values().cloned().collect()
    }

    /// Who is logged on, for logs: up to [`USERS_NAMED_MAX`] names.
    pub fn users(&self) -> String {
        let sessions = self.sessions.lock();
        let names: BTreeSet<&str> = sessions.values().map(|s| s.user.as_str()).collect();
        names.into_iter().take(USERS_NAMED_MAX).collect::<Vec<_>>().join(", ")
    }

    /// Tells the log that a request is refused, and why: once for each kind, for a client that
    /// goes on like that must not fill the log.
    pub(crate) fn note_misuse(&self, opcode: Opcode, why: Misuse) {
        let before = self.misuses.fetch_or(why.bit(), Ordering::Relaxed);
        if before & why.bit() == 0 {
            info!(peer = %self.peer, client = %self.client_guid(), user = %self.users(), %opcode,
                %why, "request refused; more of the kind on this connection are logged at debug");
        } else {
            debug!(peer = %self.peer, user = %self.users(), %opcode, %why, "request refused");
        }
    }

    /// Adds a session that was just logged on; false if the connection has closed meanwhile or
    /// has as many as it may.
    #[must_use]
    pub(crate) fn add_session(&self, session: Arc<Session>) -> bool {
        let mut sessions = self.sessions.lock();
        if self.is_closed() || sessions.len() >= limits::SESSIONS_PER_CONNECTION_MAX {
            return false;
        }
        sessions.insert(session.id, session);
        true
    }

    /// Takes an authentication that is between two tokens, so that two tokens of one cannot be
    /// judged at once.
    pub(crate) fn take_exchange(&self, id: SessionId) -> Option<Acceptor> {
        self.exchanges.lock().remove(&id)
    }

    /// Puts an authentication back until its next token comes.
    pub(crate) fn park_exchange(&self, id: SessionId, acceptor: Acceptor) {
        self.exchanges.lock().insert(id, acceptor);
    }

    /// True if no further session may be set up.
    pub(crate) fn is_full_of_sessions(&self) -> bool {
        let parked = self.exchanges.lock().len().max(self.core.lock().exchange_count());
        parked >= limits::EXCHANGES_PER_CONNECTION_MAX
            || parked + self.sessions.lock().len() >= limits::SESSIONS_PER_CONNECTION_MAX
    }

    /// Counts a failed logon; returns how many there were.
    pub(crate) fn note_logon_failure(&self) -> u32 {
        self.logon_failures.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Requests for this session are refused from now on.
    pub(crate) fn forget_session(&self, id: SessionId) {
        self.sessions.lock().remove(&id);
    }
}
