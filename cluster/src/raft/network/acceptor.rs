//! The answering end of the other nodes' streams.
//!
//! A stream begins with a handshake; a node of another cluster, or one that meant somebody else,
//! is refused. After it, every question is a task of its own, so that none holds up the others;
//! appends of one session alone keep their order.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use holdfast_proto::types::{Incarnation, NodeId};
use tokio::sync::mpsc;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::append_sessions::AppendSessions;
use super::frame::{Body, from_packet, to_packet};
use super::link::Speaker;
use super::pb::peer_server::{Peer, PeerServer};
use super::peer_messages::{question_from, reply_to};
use super::raft_messages::{ballot_to, transfer_from, vote_from, voted_to};
use super::snapshot_transfer::{Incoming, Received};
use super::transport::{self, PeerSecurity, Remote, ServeError};
use super::{MAX_PACKET_BYTES, VERSION, pb};
use crate::command::NodeLife;
use crate::peer::{PeerReply, PeerRequest};
use crate::raft::Raft;
use crate::raft::closing::Closing;
use crate::raft::known_folders::KnownFolders;
use crate::raft::log_health::LogHealth;

/// What a node does for its peers, apart from Raft itself.
#[async_trait]
pub trait Services: Send + Sync {
    /// Proposes an encoded entry, if this node leads.
    async fn propose(&self, entry: Bytes) -> pb::Submitted;
    /// The index that a linearizable read must have seen, if this node leads.
    async fn read_index(&self) -> pb::ReadAt;
    /// Renews another node's lease, if this node leads. `fit`: its log is fit to lead.
    async fn renew(&self, life: NodeLife, fit: bool) -> pb::Renewed;
    /// A node holds up a barrier.
    fn stuck(&self, life: NodeLife);
    /// Answers a question of [`crate::peer`].
    async fn ask(&self, from: NodeLife, request: PeerRequest) -> PeerReply;
}

/// Accepts the peers' streams.
pub struct Acceptor {
    pub me: Speaker,
    pub peers: BTreeSet<u64>,
    pub raft: Raft,
    pub log: Arc<LogHealth>,
    pub known: Arc<KnownFolders>,
    pub services: Arc<dyn Services>,
    pub closing: Arc<Closing>,
}

/// Where a stream's answers go.
#[derive(Clone)]
pub struct Outbox(mpsc::UnboundedSender<Result<pb::Packet, Status>>);

impl Outbox {
    /// Answers a question. The stream may be gone: its asker knows.
    pub fn answer(&self, tag: u64, body: Body) {
        let _ = self.0.send(Ok(to_packet(tag, body)));
    }

    /// Says that a question could not be carried out.
    pub fn fail(&self, tag: u64, why: String) {
        self.answer(tag, Body::Failed(why));
    }
}

/// Serves on `address` until the node closes.
///
/// # Errors
/// The address is taken, or accepting fails.
pub async fn serve(
    acceptor: Acceptor,
    address: SocketAddr,
    security: PeerSecurity,
) -> Result<(), ServeError> {
    let closing = acceptor.closing.clone();
    let service = PeerServer::new(acceptor)
        .max_decoding_message_size(MAX_PACKET_BYTES)
        .max_encoding_message_size(MAX_PACKET_BYTES);
    let router = Server::builder()
        .http2_keepalive_interval(Some(std::time::Duration::from_millis(500)))
        .http2_keepalive_timeout(Some(std::time::Duration::from_secs(1)))
        .add_service(service);
    transport::serve(router, address, security, async move { closing.closed().await }).await
}

#[async_trait]
impl Peer for Acceptor {
    type LinkStream = Pin<Box<dyn Stream<Item = Result<pb::Packet, Status>> + Send>>;

    async fn link(
        &self,
        request: Request<Streaming<pb::Packet>>,
    ) -> Result<Response<Self::LinkStream>, Status> {
        let remote = Remote::of(&request)?;
        let (tx, mut packets) = mpsc::unbounded_channel();
        let stream = IncomingStream {
            me: self.me.clone(),
            remote: remote.clone(),
            peers: self.peers.clone(),
            raft: self.raft.clone(),
            log: self.log.clone(),
            known: self.known.clone(),
            services: self.services.clone(),
            outbox: Outbox(tx),
            appends: AppendSessions::default(),
            snapshot: Incoming::default(),
        };
        let closing = self.closing.clone();
        let inbound = request.into_inner();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = closing.closed() => {}
                why = remote.distrusted() => tracing::warn!(why, "ended the stream of a node"),
                () = stream.run(inbound) => {}
            }
        });
        let outbound = futures::stream::poll_fn(move |cx| packets.poll_recv(cx));
        Ok(Response::new(Box::pin(outbound)))
    }
}

/// One peer's stream.
struct IncomingStream {
    me: Speaker,
    remote: Remote,
    peers: BTreeSet<u64>,
    raft: Raft,
    log: Arc<LogHealth>,
    known: Arc<KnownFolders>,
    services: Arc<dyn Services>,
    outbox: Outbox,
    appends: AppendSessions,
    snapshot: Incoming,
}

impl IncomingStream {
    async fn run(mut self, mut inbound: Streaming<pb::Packet>) {
        let peer = match inbound.message().await.map(|first| first.map(from_packet)) {
            Ok(Some(Ok((_, Body::Hello(hello))))) => match self.check(&hello) {
                Ok(()) => match self.known.check(hello.from, &hello.folder).await {
                    Ok(()) => hello.from,
                    Err(why) => {
                        tracing::warn!(from = hello.from, why, "turned a node away");
                        return self.outbox.answer(0, Body::TurnedAway(why));
                    }
                },
                Err(why) => {
                    tracing::warn!(from = hello.from, why, "refused a stream");
                    return self.outbox.fail(0, why);
                }
            },
            _ => return self.outbox.fail(0, "the first frame must be a handshake".to_owned()),
        };
        let incarnation = self.me.incarnation.load(Ordering::Acquire);
        let folder = self.me.folder.0.to_vec().into();
        let welcome = pb::Welcome { version: VERSION, incarnation, folder };
        self.outbox.answer(0, Body::Welcome(welcome));
        loop {
            match inbound.message().await.map(|packet| packet.map(from_packet)) {
                Ok(Some(Ok((tag, body)))) => self.take(peer, tag, body),
                Ok(Some(Err(bad))) => {
                    tracing::warn!(peer, %bad, "stream ended");
                    return;
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn check(&self, hello: &pb::Hello) -> Result<(), String> {
        if hello.version != VERSION {
            return Err(format!("protocol version {} is not spoken here", hello.version));
        }
        if hello.cluster_id[..] != self.me.cluster_id.0 {
            return Err(format!("this is cluster {}", self.me.cluster_id));
        }
        if hello.to != self.me.node {
            return Err(format!("this is node {}, not {}", self.me.node, hello.to));
        }
        if !self.peers.contains(&hello.from) {
            return Err(format!("node {} is not a member known here", hello.from));
        }
        self.remote.speaks_for(hello.from)
    }

    fn take(&mut self, peer: u64, tag: u64, body: Body) {
        match body {
            Body::Append(append) => {
                let refused = self.log.refuses_entries().filter(|_| !append.entries.is_empty());
                match refused {
                    Some(why) => self.appends.refuse(tag, &append, why, &self.outbox),
                    None => self.appends.take(&self.raft, tag, append, &self.outbox),
                }
            }
            Body::SnapshotPiece(piece) => self.take_piece(tag, piece),
            body => {
                let question =
                    Asked { raft: self.raft.clone(), services: self.services.clone(), peer };
                let outbox = self.outbox.clone();
                tokio::spawn(async move {
                    match question.answer(body).await {
                        Ok(answer) => outbox.answer(tag, answer),
                        Err(why) => outbox.fail(tag, why),
                    }
                });
            }
        }
    }

    fn take_piece(&mut self, tag: u64, piece: pb::SnapshotPiece) {
        if !self.log.has_room() {
            return self.outbox.fail(tag, "no room for a snapshot".to_owned());
        }
        let (vote, snapshot) = match self.snapshot.take(piece) {
            Ok(Received::Piece) => {
                return self.outbox.answer(tag, Body::SnapshotTaken(pb::SnapshotTaken::default()));
            }
            Ok(Received::Complete(vote, snapshot)) => (vote, snapshot),
            Err(bad) => return self.outbox.fail(tag, bad.to_string()),
        };
        let (raft, outbox) = (self.raft.clone(), self.outbox.clone());
        tokio::spawn(async move {
            match raft.install_full_snapshot(vote, snapshot).await {
                Ok(response) => {
                    let vote = Some(ballot_to(&response.vote));
                    outbox.answer(tag, Body::SnapshotTaken(pb::SnapshotTaken { vote }));
                }
                Err(error) => outbox.fail(tag, error.to_string()),
            }
        });
    }
}

/// A question that has no order among others.
struct Asked {
    raft: Raft,
    services: Arc<dyn Services>,
    peer: u64,
}

impl Asked {
    async fn answer(self, body: Body) -> Result<Body, String> {
        let services = &self.services;
        Ok(match body {
            Body::Vote(vote) => self.vote(vote).await?,
            Body::TransferLeader(transfer) => {
                let request = transfer_from(transfer).map_err(|bad| bad.to_string())?;
                let taken = self.raft.handle_transfer_leader(request).await;
                match taken.map_err(|fatal| fatal.to_string())? {
                    Ok(()) => Body::Done(pb::Done {}),
                    Err(refused) => return Err(format!("{refused:?}")),
                }
            }
            Body::Submit(submit) => Body::Submitted(services.propose(submit.entry).await),
            Body::ReadIndex(_) => Body::ReadAt(services.read_index().await),
            Body::Renew(renew) => {
                let fit = !renew.log_troubled;
                Body::Renewed(services.renew(life_from(renew.life)?, fit).await)
            }
            Body::Stuck(stuck) => {
                services.stuck(life_from(stuck.life)?);
                Body::Done(pb::Done {})
            }
            Body::Ask(ask) => {
                let from = NodeLife {
                    node: NodeId(self.peer),
                    incarnation: Incarnation(ask.from_incarnation),
                };
                let request = question_from(ask).map_err(|bad| bad.to_string())?;
                Body::Answer(reply_to(services.ask(from, request).await))
            }
            _ => return Err("not a question".to_owned()),
        })
    }

    async fn vote(&self, vote: pb::Vote) -> Result<Body, String> {
        let pre = vote.pre;
        let request = vote_from(vote).map_err(|bad| bad.to_string())?;
        let response = match pre {
            true => self.raft.pre_vote(request).await,
            false => self.raft.vote(request).await,
        };
        response.map(|response| Body::Voted(voted_to(&response))).map_err(|e| e.to_string())
    }
}

fn life_from(life: Option<pb::Life>) -> Result<NodeLife, String> {
    let life = life.ok_or("which incarnation?")?;
    Ok(NodeLife { node: NodeId(life.node), incarnation: Incarnation(life.incarnation) })
}
