//! The stream on which this node asks one other node.
//!
//! It is opened when there is something to ask, and again after it broke, at bounded intervals;
//! between a failed attempt and the next one, questions fail at once. A question whose time ran
//! out while nothing at all was heard takes the stream down: a connection that died in silence
//! must not be waited for. Nothing is sent twice; whoever gets no answer asks again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_proto::types::Guid;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tonic::Streaming;

use super::frame::{Body, from_packet, to_packet};
use super::link_error::LinkError;
use super::pb::peer_client::PeerClient as Stub;
use super::transport::{Dialer, Remote};
use super::{MAX_PACKET_BYTES, VERSION, pb};
use crate::raft::known_folders::KnownFolders;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const REST_MIN: Duration = Duration::from_millis(20);
const REST_MAX: Duration = Duration::from_millis(400);
/// A stream that owed an answer and said nothing for this long is given up.
const SILENCE_MAX: Duration = Duration::from_secs(1);
/// Questions that may wait for an answer at one time.
const PENDING_MAX: usize = 8192;

/// What happens to streams, for whoever watches over the other nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkEvent {
    /// A stream that was up has ended: the peer died, or the path to it.
    Lost { peer: u64 },
}

/// Who is speaking; said in the handshake.
#[derive(Clone, Debug)]
pub struct Speaker {
    pub cluster_id: Guid,
    pub node: u64,
    /// 0 until this node's join is applied.
    pub incarnation: Arc<AtomicU64>,
    /// Which folder this node has.
    pub folder: Guid,
}

/// The asking end of the stream to one peer.
pub struct PeerLink {
    me: Speaker,
    peer: u64,
    dialer: Dialer,
    slot: Mutex<Slot>,
    /// There is a question and no stream.
    demand: Notify,
    /// The stream is to be given up.
    reset: Notify,
    events: mpsc::UnboundedSender<LinkEvent>,
    known: Arc<KnownFolders>,
    next_session: AtomicU64,
}

enum Phase {
    Down,
    Resting(String),
    Up(mpsc::UnboundedSender<pb::Packet>),
}

struct Slot {
    phase: Phase,
    next_tag: u64,
    /// Waiting for the stream to come up, in order.
    queued: Vec<(u64, Body)>,
    pending: BTreeMap<u64, oneshot::Sender<Result<Body, LinkError>>>,
    /// When anything was last heard on the stream.
    heard: Instant,
    /// Since when a prompt answer is owed and nothing was heard.
    silent_since: Option<Instant>,
    give_up: bool,
}

/// A stream after its handshake.
struct Opened {
    outbox: mpsc::UnboundedSender<pb::Packet>,
    inbound: Streaming<pb::Packet>,
    remote: Remote,
}

/// A question that was sent.
pub struct Question {
    link: Arc<PeerLink>,
    tag: u64,
    sent: Instant,
    answer: oneshot::Receiver<Result<Body, LinkError>>,
}

impl PeerLink {
    /// A link that is not open yet. [`run`](Self::run) must be driven.
    pub fn new(
        me: Speaker,
        peer: u64,
        dialer: Dialer,
        events: mpsc::UnboundedSender<LinkEvent>,
        known: Arc<KnownFolders>,
    ) -> Arc<PeerLink> {
        Arc::new(PeerLink {
            me,
            peer,
            dialer,
            slot: Mutex::new(Slot {
                phase: Phase::Down,
                next_tag: 1,
                queued: Vec::new(),
                pending: BTreeMap::new(),
                heard: Instant::now(),
                silent_since: None,
                give_up: false,
            }),
            demand: Notify::new(),
            reset: Notify::new(),
            events,
            known,
            next_session: AtomicU64::new(1),
        })
    }

    /// The node at the other end.
    pub fn peer(&self) -> u64 {
        self.peer
    }

    /// A number that no other session of this link has.
    pub fn new_session(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a question; they leave in the order of the calls.
    ///
    /// # Errors
    /// There is no stream and the next attempt is not due, or too many questions are open.
    pub fn ask(self: &Arc<Self>, body: Body) -> Result<Question, LinkError> {
        let (tx, answer) = oneshot::channel();
        let mut slot = self.slot.lock();
        if slot.pending.len() >= PENDING_MAX {
            return Err(LinkError::Unreachable(self.peer, "too many open questions".into()));
        }
        let tag = slot.next_tag;
        let prompt = is_prompt(&body);
        match &slot.phase {
            Phase::Resting(why) => {
                return Err(LinkError::Unreachable(self.peer, why.clone()));
            }
            Phase::Down => {
                slot.queued.push((tag, body));
                self.demand.notify_one();
            }
            Phase::Up(outbox) => {
                outbox.send(to_packet(tag, body)).map_err(|_| LinkError::Broken(self.peer))?;
            }
        }
        slot.next_tag += 1;
        slot.pending.insert(tag, tx);
        let now = Instant::now();
        if prompt && matches!(slot.phase, Phase::Up(_)) {
            let since = *slot.silent_since.get_or_insert(now);
            if now - since > SILENCE_MAX {
                slot.give_up = true;
                self.reset.notify_one();
            }
        }
        Ok(Question { link: self.clone(), tag, sent: now, answer })
    }

    /// Sends a question and waits for its answer.
    ///
    /// # Errors
    /// No answer came, or the other node could not carry it out.
    pub async fn call(self: &Arc<Self>, body: Body, limit: Duration) -> Result<Body, LinkError> {
        self.ask(body)?.answer(limit).await
    }

    /// Sends something that has no answer, if there is a stream.
    pub fn tell(&self, body: Body) {
        if let Phase::Up(outbox) = &self.slot.lock().phase {
            // A stream that just ended takes what was told with it.
            let _ = outbox.send(to_packet(0, body));
        }
    }

    /// Keeps the stream open while there is something to ask. The first is opened at once, so that
    /// nodes that are up together know each other's folders. Never returns.
    pub async fn run(self: Arc<Self>) {
        let mut rest = REST_MIN;
        let mut met = false;
        loop {
            if met {
                self.wait_for_demand().await;
            }
            match self.connect().await {
                Ok(opened) => {
                    rest = REST_MIN;
                    met = true;
                    let why = self.keep_open(opened).await;
                    tracing::info!(peer = self.peer, why, "stream to peer ended");
                    self.go_down(&why, true);
                    // Nobody watches any more once the node shuts down.
                    let _ = self.events.send(LinkEvent::Lost { peer: self.peer });
                }
                Err(why) => {
                    tracing::debug!(peer = self.peer, why, "no stream to peer");
                    self.go_down(&why, false);
                }
            }
            sleep(rest).await;
            rest = (rest * 2).min(REST_MAX);
            self.slot.lock().phase = Phase::Down;
        }
    }

    /// Hands out answers until the stream ends; says why it did. When this node's certificates were
    /// replaced, another stream takes its place, which is open before this one goes.
    async fn keep_open(&self, mut opened: Opened) -> String {
        loop {
            let Opened { outbox, inbound, remote } = opened;
            self.go_up(outbox);
            opened = tokio::select! {
                biased;
                why = self.listen(inbound, &remote) => return why,
                next = self.opened_anew(&remote) => next,
            };
            // What was asked on the other stream is not answered on this one.
            self.go_down("opened anew with new certificates", true);
        }
    }

    async fn opened_anew(&self, remote: &Remote) -> Opened {
        remote.outdated().await;
        loop {
            match self.connect().await {
                Ok(opened) => return opened,
                Err(_) => sleep(REST_MAX).await,
            }
        }
    }

    async fn wait_for_demand(&self) {
        while self.slot.lock().queued.is_empty() {
            self.demand.notified().await;
        }
    }

    async fn connect(&self) -> Result<Opened, String> {
        timeout(CONNECT_TIMEOUT, self.shake_hands())
            .await
            .unwrap_or_else(|_| Err("no connection in time".to_owned()))
    }

    async fn shake_hands(&self) -> Result<Opened, String> {
        let (channel, remote) = self.dialer.dial().await?;
        let mut stub = Stub::new(channel)
            .max_decoding_message_size(MAX_PACKET_BYTES)
            .max_encoding_message_size(MAX_PACKET_BYTES);
        let (outbox, mut packets) = mpsc::unbounded_channel();
        let hello = Body::Hello(pb::Hello {
            version: VERSION,
            cluster_id: self.me.cluster_id.0.to_vec().into(),
            from: self.me.node,
            to: self.peer,
            incarnation: self.me.incarnation.load(Ordering::Acquire),
            folder: self.me.folder.0.to_vec().into(),
        });
        // The receiver is alive: it is in this function.
        let _ = outbox.send(to_packet(0, hello));
        let stream = futures::stream::poll_fn(move |cx| packets.poll_recv(cx));
        let explain = |status| self.dialer.explain(&status);
        let mut inbound = stub.link(stream).await.map_err(explain)?.into_inner();
        let first = inbound.message().await.map_err(explain)?;
        match from_packet(first.ok_or("ended in the handshake")?) {
            Ok((_, Body::Welcome(welcome))) => {
                // Its answers would be those of a node that forgot what it answered before.
                let checked = self.known.check(self.peer, &welcome.folder).await;
                checked.inspect_err(|why| tracing::warn!(peer = self.peer, why, "refused"))?;
                Ok(Opened { outbox, inbound, remote })
            }
            Ok((_, Body::TurnedAway(why))) => {
                tracing::error!(peer = self.peer, why, "this node is turned away");
                self.known.note_turned_away(why.clone());
                Err(why)
            }
            Ok((_, Body::Failed(why))) => {
                tracing::warn!(peer = self.peer, why, "the peer refuses this node");
                Err(why)
            }
            Ok(_) => Err("not a handshake".to_owned()),
            Err(bad) => Err(bad.to_string()),
        }
    }

    fn go_up(&self, outbox: mpsc::UnboundedSender<pb::Packet>) {
        let mut slot = self.slot.lock();
        for (tag, body) in std::mem::take(&mut slot.queued) {
            // Whoever gave up meanwhile need not be asked for.
            if slot.pending.contains_key(&tag) {
                let _ = outbox.send(to_packet(tag, body));
            }
        }
        slot.heard = Instant::now();
        slot.silent_since = None;
        slot.give_up = false;
        slot.phase = Phase::Up(outbox);
    }

    fn go_down(&self, why: &str, was_up: bool) {
        let pending = {
            let mut slot = self.slot.lock();
            slot.phase = Phase::Resting(why.to_owned());
            slot.queued.clear();
            std::mem::take(&mut slot.pending)
        };
        for (_, tx) in pending {
            let error = match was_up {
                true => LinkError::Broken(self.peer),
                false => LinkError::Unreachable(self.peer, why.to_owned()),
            };
            // The asker may have given up.
            let _ = tx.send(Err(error));
        }
    }

    /// Hands out answers until the stream ends; says why it did.
    async fn listen(&self, mut inbound: Streaming<pb::Packet>, remote: &Remote) -> String {
        let mut distrusted = std::pin::pin!(remote.distrusted());
        loop {
            let packet = tokio::select! {
                biased;
                packet = inbound.message() => packet,
                () = self.reset.notified() => {
                    if self.slot.lock().give_up {
                        return "nothing heard in time".to_owned();
                    }
                    continue;
                }
                why = &mut distrusted => return why,
            };
            match packet.map(|packet| packet.map(from_packet)) {
                Ok(Some(Ok((tag, body)))) => {
                    let waiter = {
                        let mut slot = self.slot.lock();
                        slot.heard = Instant::now();
                        slot.silent_since = None;
                        slot.pending.remove(&tag)
                    };
                    if let Some(tx) = waiter {
                        let _ = tx.send(match body {
                            Body::Failed(why) => Err(LinkError::Failed(self.peer, why)),
                            body => Ok(body),
                        });
                    }
                }
                Ok(Some(Err(bad))) => return bad.to_string(),
                Ok(None) => return "closed by the peer".to_owned(),
                Err(status) => return status.message().to_owned(),
            }
        }
    }
}

impl Question {
    /// Waits for the answer.
    ///
    /// # Errors
    /// None came in time, or the other node could not carry it out.
    pub async fn answer(&mut self, limit: Duration) -> Result<Body, LinkError> {
        let peer = self.link.peer;
        match timeout(limit, &mut self.answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(LinkError::Broken(peer)),
            Err(_) => {
                let mut slot = self.link.slot.lock();
                slot.pending.remove(&self.tag);
                if slot.heard < self.sent && matches!(slot.phase, Phase::Up(_)) {
                    slot.give_up = true;
                    self.link.reset.notify_one();
                }
                Err(LinkError::TimedOut(peer))
            }
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.link.slot.lock().pending.remove(&self.tag);
    }
}

/// Whether an answer is owed at once; the others may wait for a quorum, or for a client's I/O.
fn is_prompt(body: &Body) -> bool {
    matches!(body, Body::Append(_) | Body::Vote(_) | Body::Renew(_) | Body::SnapshotPiece(_))
}
