//! One connection: frames, message ids, credits, signatures both ways; answers find their requests,
//! lease breaks are acted on in the order in which they came.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use holdfast_proto::crypto::SigningKey;
use holdfast_proto::frame::direct_tcp::{encode_prefix, take_frame};
use holdfast_proto::header::{Header, HeaderFlags, HeaderForm};
use holdfast_proto::msg::{CancelRequest, Request, Response};
use holdfast_proto::{NtStatus, Opcode};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::envelope::{Envelope, encode, header, signed};
use super::leases::Leases;
use super::socket::connect;

/// Frames of the server are no longer than this.
const FRAME_MAX: usize = 9 << 20;
/// For how long a node is not told that a connection was left silently.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a request waits before it looks for a credit again.
const CREDIT_POLL: Duration = Duration::from_millis(2);

/// Hears what a server must not do.
pub trait Watcher: Send + Sync {
    /// The server answered what no server may.
    fn bad_answer(&self, what: String);

    /// So many bytes came after the connection was left without a word.
    fn heard_late(&self, bytes: usize);
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parting {
    /// The socket is closed: the node hears of it.
    Told,
    /// As when a path is lost: the node hears nothing for [`SILENCE`].
    Silent,
}

/// One answer: its header and the whole message.
#[derive(Clone, Debug)]
pub struct Answer {
    pub header: Header,
    pub message: Bytes,
}

/// Nothing is known of a request: the connection ended, or the answer did not come in time.
#[derive(Clone, Copy, Debug)]
pub struct NoAnswer;

/// How long to wait for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub answer: Duration,
    /// Once an interim response came.
    pub pending: Duration,
    /// Give the operation up by CANCEL when that is over, rather than the connection.
    pub cancel: bool,
}

pub(super) struct Waiting {
    pub(super) command: Opcode,
    pub(super) answers: mpsc::UnboundedSender<Answer>,
}

pub(super) struct State {
    pub(super) next_id: u64,
    pub(super) credits: u32,
    pub(super) waiting: BTreeMap<u64, Waiting>,
    pub(super) signing: Option<Arc<SigningKey>>,
    /// What acknowledgements are sent with.
    pub(super) acknowledging: Envelope,
}

/// A connection to a node. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

pub(super) struct Inner {
    watcher: Arc<dyn Watcher>,
    pub(super) leases: Arc<Mutex<Leases>>,
    pub(super) state: Mutex<State>,
    frames: mpsc::UnboundedSender<Bytes>,
    /// Whether it is open; the first who ends it says how.
    ended: AtomicU8,
    closing: Notify,
}

const OPEN: u8 = 0;
const ENDED: u8 = 1;
const ENDED_SILENTLY: u8 = 2;

impl Connection {
    /// Connects to a node within `limit`.
    pub async fn open(
        address: SocketAddr,
        limit: Duration,
        watcher: Arc<dyn Watcher>,
        leases: Arc<Mutex<Leases>>,
    ) -> Result<Connection, NoAnswer> {
        let stream = match timeout(limit, connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => return Err(NoAnswer),
        };
        let (reader, writer) = stream.into_split();
        let (frames, frames_rx) = mpsc::unbounded_channel::<Bytes>();
        let state = State {
            next_id: 0,
            credits: 1,
            waiting: BTreeMap::new(),
            signing: None,
            acknowledging: Envelope::default(),
        };
        let inner = Arc::new(Inner {
            watcher,
            leases,
            state: Mutex::new(state),
            frames,
            ended: AtomicU8::new(OPEN),
            closing: Notify::new(),
        });
        tokio::spawn(inner.clone().write(writer, frames_rx));
        tokio::spawn(inner.clone().read(reader));
        Ok(Connection(inner))
    }

    /// Ends it; whoever waits for an answer gets none.
    pub fn close(&self) {
        self.part(Parting::Told);
    }

    /// Ends it one way or the other.
    pub fn part(&self, parting: Parting) {
        self.0.end(match parting {
            Parting::Told => ENDED,
            Parting::Silent => ENDED_SILENTLY,
        });
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Returns when it has ended.
    pub async fn closed(&self) {
        self.0.until_closed().await;
    }

    /// From here on every message is signed.
    pub fn sign_with(&self, key: SigningKey, acknowledging: Envelope) {
        let mut state = self.0.state.lock();
        state.signing = Some(Arc::new(key));
        state.acknowledging = acknowledging;
    }

    /// The tree connect that acknowledgements name.
    pub fn acknowledge_on(&self, tree: u32) {
        self.0.state.lock().acknowledging.tree = tree;
    }

    /// Sends a request and waits for its final answer. Also returns the message as it was sent.
    pub async fn exchange(
        &self,
        request: &Request,
        envelope: Envelope,
        patience: Patience,
    ) -> Result<(Answer, Bytes), NoAnswer> {
        let (id, sent, mut answers) = self.0.send(request, envelope, patience.answer).await?;
        let mut deadline = Instant::now() + patience.answer;
        let mut pending = None;
        let mut cancelled = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, answers.recv()).await {
                Ok(Some(answer)) if answer.header.status == NtStatus::PENDING => {
                    if pending.is_some() {
                        self.0.bad("two interim responses".to_owned());
                    }
                    pending = answer.header.async_id();
                    deadline = Instant::now() + patience.pending;
                }
                Ok(Some(answer)) => return Ok((answer, sent)),
                Ok(None) => return Err(NoAnswer),
                Err(_) if patience.cancel && pending.is_some() && !cancelled => {
                    cancelled = true;
                    self.0.cancel(id, pending, envelope);
                    deadline = Instant::now() + patience.answer;
                }
                Err(_) => {
                    self.0.state.lock().waiting.remove(&id);
                    return Err(NoAnswer);
                }
            }
        }
    }

    /// As [`Connection::exchange`], decoded. What does not decode is told, and no answer.
    pub async fn ask(
        &self,
        request: &Request,
        envelope: Envelope,
        patience: Patience,
    ) -> Result<(NtStatus, Response), NoAnswer> {
        let (answer, _) = self.exchange(request, envelope, patience).await?;
        match Response::decode(&answer.header, &answer.message) {
            Ok(response) => Ok((answer.header.status, response)),
            Err(error) => {
                let opcode = request.opcode();
                self.0.bad(format!("{opcode:?} is answered by what is no message: {error}"));
                self.close();
                Err(NoAnswer)
            }
        }
    }
}

impl Inner {
    fn is_closed(&self) -> bool {
        self.ended.load(Ordering::SeqCst) != OPEN
    }

    pub(super) fn close(&self) {
        self.end(ENDED);
    }

    fn end(&self, how: u8) {
        let first = self.ended.compare_exchange(OPEN, how, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_ok() {
            self.state.lock().waiting.clear();
            self.closing.notify_waiters();
        }
    }

    async fn until_closed(&self) {
        let closing = self.closing.notified();
        tokio::pin!(closing);
        closing.as_mut().enable();
        if !self.is_closed() {
            closing.await;
        }
    }

    pub(super) fn bad(&self, what: String) {
        self.watcher.bad_answer(what);
    }

    async fn send(
        &self,
        request: &Request,
        envelope: Envelope,
        limit: Duration,
    ) -> Result<(u64, Bytes, mpsc::UnboundedReceiver<Answer>), NoAnswer> {
        let deadline = Instant::now() + limit;
        while self.state.lock().credits == 0 {
            if self.is_closed() || Instant::now() >= deadline {
                return Err(NoAnswer);
            }
            sleep(CREDIT_POLL).await;
        }
        let (answers_tx, answers) = mpsc::unbounded_channel();
        let mut state = self.state.lock();
        // Looked at under the lock: who closes clears what waits after it has said so.
        if self.is_closed() {
            return Err(NoAnswer);
        }
        state.credits = state.credits.saturating_sub(1);
        let id = state.next_id;
        state.next_id += 1;
        state.waiting.insert(id, Waiting { command: request.opcode(), answers: answers_tx });
        let message = encode(request, id, envelope, state.signing.as_deref());
        // In the order of their numbers.
        self.frame(&message);
        drop(state);
        Ok((id, message, answers))
    }

    fn cancel(&self, id: u64, async_id: Option<u64>, envelope: Envelope) {
        let mut header = header(Opcode::CANCEL, id, envelope);
        header.credits = 0;
        if let Some(async_id) = async_id {
            header.form = HeaderForm::Async { async_id };
            header.flags |= HeaderFlags::ASYNC_COMMAND;
        }
        let signing = self.state.lock().signing.clone();
        let message = signed(&CancelRequest.into(), header, signing.as_deref());
        self.frame(&message);
    }

    pub(super) fn frame(&self, message: &Bytes) {
        let Some(prefix) = encode_prefix(message.len()) else { return };
        let mut frame = BytesMut::with_capacity(message.len() + prefix.len());
        frame.extend_from_slice(&prefix);
        frame.extend_from_slice(message);
        // A writer that has ended has closed the connection.
        let _ = self.frames.send(frame.freeze());
    }

    /// Writes until the connection is closed; the end of the socket is the reader's.
    async fn write(
        self: Arc<Self>,
        mut writer: OwnedWriteHalf,
        mut frames: mpsc::UnboundedReceiver<Bytes>,
    ) {
        self.write_frames(&mut writer, &mut frames).await;
        writer.forget();
    }

    async fn write_frames(
        &self,
        writer: &mut OwnedWriteHalf,
        frames: &mut mpsc::UnboundedReceiver<Bytes>,
    ) {
        loop {
            let frame = tokio::select! {
                biased;
                () = self.until_closed() => return,
                frame = frames.recv() => frame,
            };
            let Some(frame) = frame else { return };
            let sent = tokio::select! {
                biased;
                () = self.until_closed() => return,
                sent = writer.write_all(&frame) => sent,
            };
            if sent.is_err() {
                return self.close();
            }
        }
    }

    async fn read(self: Arc<Self>, mut reader: OwnedReadHalf) {
        self.read_frames(&mut reader).await;
        self.close();
        if self.ended.load(Ordering::SeqCst) == ENDED_SILENTLY {
            self.listen_in_silence(&mut reader).await;
        }
    }

    /// The node is not told that nobody cares for its answers any more; what it still sends is
    /// counted.
    async fn listen_in_silence(&self, reader: &mut OwnedReadHalf) {
        let deadline = Instant::now() + SILENCE;
        let mut arrived = BytesMut::new();
        while let Ok(Ok(bytes)) = timeout_at(deadline, reader.read_buf(&mut arrived)).await
            && bytes > 0
        {
            self.watcher.heard_late(bytes);
            arrived.clear();
        }
    }

    async fn read_frames(&self, reader: &mut OwnedReadHalf) {
        let mut arrived = BytesMut::new();
        'connection: loop {
            let read = tokio::select! {
                biased;
                () = self.until_closed() => break,
                read = reader.read_buf(&mut arrived) => read,
            };
            if !matches!(read, Ok(length) if length > 0) {
                break;
            }
            loop {
                match take_frame(&mut arrived, FRAME_MAX) {
                    Ok(Some(frame)) => self.take(&frame),
                    Ok(None) => break,
                    Err(error) => {
                        self.bad(format!("a frame that is none: {error}"));
                        break 'connection;
                    }
                }
                if self.is_closed() {
                    break 'connection;
                }
            }
        }
    }
}
