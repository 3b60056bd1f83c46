//! One connection: frames, message ids, credits, signatures both ways; answers find their requests,
//! lease breaks are acted on in the order in which they came.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use holdfast_proto::crypto::{Sender, SigningKey};
use holdfast_proto::frame::compound;
use holdfast_proto::frame::direct_tcp::{encode_prefix, take_frame};
use holdfast_proto::header::{Header, HeaderFlags, HeaderForm, UNSOLICITED};
use holdfast_proto::msg::oplock_break::{
    LeaseBreak, LeaseBreakFlags, LeaseBreakNotification, OplockBreakAcknowledgment,
    OplockBreakResponse,
};
use holdfast_proto::msg::{CancelRequest, Request, Response};
use holdfast_proto::{NtStatus, Opcode};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout};

use super::envelope::{Envelope, encode, header, signed};
use super::leases::Leases;

/// Frames of the server are no longer than this.
const FRAME_MAX: usize = 9 << 20;
/// How long a request waits before it looks for a credit again.
const CREDIT_POLL: Duration = Duration::from_millis(2);

/// Hears what a server must not do.
pub trait Watcher: Send + Sync {
    /// The server answered what no server may.
    fn bad_answer(&self, what: String);
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

struct Waiting {
    command: Opcode,
    answers: mpsc::UnboundedSender<Answer>,
}

struct State {
    next_id: u64,
    credits: u32,
    waiting: BTreeMap<u64, Waiting>,
    signing: Option<Arc<SigningKey>>,
    /// What acknowledgements are sent with.
    acknowledging: Envelope,
}

/// A connection to a node. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    watcher: Arc<dyn Watcher>,
    leases: Arc<Mutex<Leases>>,
    state: Mutex<State>,
    frames: mpsc::UnboundedSender<Bytes>,
    closed: AtomicBool,
    closing: Notify,
}

impl Connection {
    /// Connects to a node within `limit`.
    pub async fn open(
        address: SocketAddr,
        limit: Duration,
        watcher: Arc<dyn Watcher>,
        leases: Arc<Mutex<Leases>>,
    ) -> Result<Connection, NoAnswer> {
        let stream = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => return Err(NoAnswer),
        };
        stream.set_nodelay(true).map_err(|_| NoAnswer)?;
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
            closed: AtomicBool::new(false),
            closing: Notify::new(),
        });
        tokio::spawn(inner.clone().write(writer, frames_rx));
        tokio::spawn(inner.clone().read(reader));
        Ok(Connection(inner))
    }

    /// Ends it without a word.
    pub fn close(&self) {
        self.0.close();
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
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
        self.closed.load(Ordering::SeqCst)
    }

    fn close(&self) {
        if !self.closed.swap(true, Ordering::SeqCst) {
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

    fn bad(&self, what: String) {
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

    fn frame(&self, message: &Bytes) {
        let Some(prefix) = encode_prefix(message.len()) else { return };
        let mut frame = BytesMut::with_capacity(message.len() + prefix.len());
        frame.extend_from_slice(&prefix);
        frame.extend_from_slice(message);
        // A writer that has ended has closed the connection.
        let _ = self.frames.send(frame.freeze());
    }

    async fn write<W: AsyncWriteExt + Unpin>(
        self: Arc<Self>,
        mut writer: W,
        mut frames: mpsc::UnboundedReceiver<Bytes>,
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

    async fn read<R: AsyncRead + Unpin>(self: Arc<Self>, mut reader: R) {
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
        self.close();
    }

    fn take(&self, frame: &Bytes) {
        let parts = match compound::split(frame, 8) {
            Ok(parts) => parts,
            Err(error) => return self.bad(format!("a frame that is no messages: {error}")),
        };
        for part in parts {
            if part.header.message_id == UNSOLICITED {
                self.take_break(&part.header, &part.message);
            } else {
                self.take_answer(part.header, part.message);
            }
        }
    }

    fn take_answer(&self, header: Header, message: Bytes) {
        let interim = header.status == NtStatus::PENDING;
        let mut state = self.state.lock();
        state.credits += u32::from(header.credits);
        let signing = state.signing.clone();
        // Who gave up waiting may still be answered: that is no fault of the server's.
        let command = state.waiting.get(&header.message_id).map(|waiting| waiting.command);
        let answers = match interim {
            true => state.waiting.get(&header.message_id).map(|waiting| waiting.answers.clone()),
            false => state.waiting.remove(&header.message_id).map(|waiting| waiting.answers),
        };
        drop(state);
        if !header.is_response() || command.is_some_and(|command| command != header.command) {
            return self.bad(format!("{header:?} answers another request"));
        }
        if let Some(signing) = signing
            && !interim
            && !(header.flags.contains(HeaderFlags::SIGNED)
                && signing.verify_message(Sender::Server, &message))
        {
            // Without the session there is no key: the answer says only that.
            if header.status != NtStatus::USER_SESSION_DELETED {
                self.bad(format!("{header:?} is not signed, or wrongly"));
            }
            return self.close();
        }
        // A lease is known before anything that comes after its answer: breaks may follow at once.
        if header.command == Opcode::CREATE
            && header.status.is_success()
            && let Ok(Response::Create(create)) = Response::decode(&header, &message)
            && let Some(lease) = create.contexts.lease
        {
            self.leases.lock().granted(&lease);
        }
        if let Some(answers) = answers {
            // Whoever asked may have gone.
            let _ = answers.send(Answer { header, message });
        }
    }

    fn take_break(&self, header: &Header, message: &Bytes) {
        match Response::decode(header, message) {
            Ok(Response::OplockBreak(OplockBreakResponse::LeaseNotification(notification))) => {
                self.lease_break(&notification);
            }
            other => self.bad(format!("unasked for: {other:?}")),
        }
    }

    /// [MS-SMB2] 3.2.5.19.2.
    fn lease_break(&self, notification: &LeaseBreakNotification) {
        let Some(lease_state) = self.leases.lock().broken(notification) else { return };
        if !notification.flags.contains(LeaseBreakFlags::ACK_REQUIRED) {
            return;
        }
        let lease_key = notification.lease_key;
        let acknowledgement =
            OplockBreakAcknowledgment::Lease(LeaseBreak { flags: 0, lease_key, lease_state });
        let mut state = self.state.lock();
        let id = state.next_id;
        // Beyond the credits only by the answers that are under way.
        state.credits = state.credits.saturating_sub(1);
        state.next_id += 1;
        let (answers, _) = mpsc::unbounded_channel();
        state.waiting.insert(id, Waiting { command: Opcode::OPLOCK_BREAK, answers });
        let envelope = state.acknowledging;
        let message = encode(&acknowledgement.into(), id, envelope, state.signing.as_deref());
        self.frame(&message);
    }
}
