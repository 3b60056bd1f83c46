//! A client's connection, as handlers and effects see it.
//!
//! Everything that leaves goes through its outbox, in order. The outbox is bounded: a client
//! that reads nothing loses its connection, never the server its memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use holdfast_proto::types::{ClientGuid, SessionId};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tracing::info;

use crate::limits;
use crate::session::Session;
use crate::signal::Signal;

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
    /// Told once the frame was written and flushed.
    pub written: Option<oneshot::Sender<()>>,
}

impl OutboundFrame {
    fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

/// A connection of this node.
#[derive(Debug)]
pub struct Connection {
    pub id: ConnectionId,
    /// Address and port of the client, for logs.
    pub peer: String,
    client_guid: OnceLock<ClientGuid>,
    sessions: Mutex<BTreeMap<SessionId, Arc<Session>>>,
    outbox: Mutex<Outbox>,
    /// Wakes the writer when something was queued, and readers when something was written.
    queued: Notify,
    drained: Notify,
    closed: Signal,
}

#[derive(Debug, Default)]
struct Outbox {
    frames: VecDeque<OutboundFrame>,
    bytes: usize,
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(id: ConnectionId, peer: String) -> Connection {
        Connection {
            id,
            peer,
            client_guid: OnceLock::new(),
            sessions: Mutex::default(),
            outbox: Mutex::default(),
            queued: Notify::new(),
            drained: Notify::new(),
            closed: Signal::new(),
        }
    }

    /// ClientGuid of the NEGOTIATE; zeros before it.
    pub fn client_guid(&self) -> ClientGuid {
        self.client_guid.get().copied().unwrap_or_default()
    }

    /// Notes the ClientGuid that was negotiated.
    pub(crate) fn set_client_guid(&self, guid: ClientGuid) {
        // A second NEGOTIATE never gets here: it ends the connection.
        let _ = self.client_guid.set(guid);
    }

    /// True once the connection is being closed.
    pub fn is_closed(&self) -> bool {
        self.closed.is_raised()
    }

    /// Returns once the connection is being closed.
    pub async fn wait_closed(&self) {
        self.closed.wait().await;
    }

    /// Closes the connection. What waits for the socket is dropped; sessions end through the
    /// connection's task.
    pub fn close(&self, why: &str) {
        if self.closed.raise() {
            info!(peer = %self.peer, client = %self.client_guid(), why, "connection closed");
            *self.outbox.lock() = Outbox::default();
            self.queued.notify_one();
        }
    }

    /// Sends an unsolicited message, which is neither signed nor encrypted ([MS-SMB2] 3.3.4.6,
    /// 3.3.4.7): the lease and oplock break notifications. `message` is header and body.
    /// Returns once it was written to the socket.
    pub async fn notify(&self, message: Bytes) -> Result<(), ConnectionGone> {
        let (written_tx, written_rx) = oneshot::channel();
        let prefix = Bytes::copy_from_slice(&(message.len() as u32).to_be_bytes());
        let frame = OutboundFrame { pieces: vec![prefix, message], written: Some(written_tx) };
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
        self.drained.notify_one();
    }

    /// Returns once little enough waits for the socket that another request may be read. One
    /// caller only: the reader.
    pub(crate) async fn wait_room(&self) {
        loop {
            let room = self.outbox.lock().bytes <= limits::OUTBOX_PAUSE;
            if room || self.is_closed() {
                return;
            }
            self.drained.notified().await;
        }
    }

    /// The session of that id, if it lives on this connection.
    pub fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        self.sessions.lock().get(&id).cloned()
    }

    /// The sessions of this connection, in order of id.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.lock().values().cloned().collect()
    }

    /// Adds a session that was just logged on.
    pub(crate) fn add_session(&self, session: Arc<Session>) {
        self.sessions.lock().insert(session.id, session);
    }

    /// Requests for this session are refused from now on.
    pub(crate) fn forget_session(&self, id: SessionId) {
        self.sessions.lock().remove(&id);
    }
}
