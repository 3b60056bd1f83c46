//! Raft's calls to one peer, over its link.
//!
//! Appends are pipelined: a session of requests, at most [`WINDOW`] of them unanswered, answered
//! in order. Heartbeats stand alone, so that none waits behind a session. Raft's input is polled
//! only while its output is, because Raft stops reading one to stop the other.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use openraft::RPCTypes;
use openraft::alias::{SnapshotOf, VoteOf};
use openraft::errors::{
    NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable,
};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};

use super::frame::Body;
use super::link::{PeerLink, Question};
use super::link_error::LinkError;
use super::raft_messages as wire;
use super::{pb, snapshot_transfer};
use crate::raft::type_config::{PeerNode, TypeConfig};
use bytes::Bytes;

/// Appends that may be unanswered at one time.
const WINDOW: usize = 4;
/// An append includes the other node's sync; one that takes longer counts as lost.
const APPEND_LIMIT: Duration = Duration::from_millis(1500);
const VOTE_LIMIT: Duration = Duration::from_millis(1000);

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
type AppendResult = Result<StreamAppendResult<TypeConfig>, RPCError<TypeConfig>>;

/// The links to all peers, as Raft wants them.
#[derive(Clone)]
pub struct Network {
    me: u64,
    links: Arc<BTreeMap<u64, Arc<PeerLink>>>,
}

impl Network {
    /// Over these links.
    pub fn new(me: u64, links: Arc<BTreeMap<u64, Arc<PeerLink>>>) -> Network {
        Network { me, links }
    }

    fn client(&self, target: u64, heartbeat: bool) -> PeerClient {
        PeerClient { me: self.me, target, link: self.links.get(&target).cloned(), heartbeat }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = PeerClient;

    async fn new_client(&mut self, target: u64, _node: &PeerNode) -> PeerClient {
        self.client(target, false)
    }

    async fn new_heartbeat_client(&mut self, target: u64, _node: &PeerNode) -> PeerClient {
        self.client(target, true)
    }
}

/// Raft's way to one peer.
pub struct PeerClient {
    me: u64,
    target: u64,
    /// None for a member that this node's folder does not know.
    link: Option<Arc<PeerLink>>,
    heartbeat: bool,
}

impl PeerClient {
    fn link(&self) -> Result<&Arc<PeerLink>, RPCError<TypeConfig>> {
        self.link.as_ref().ok_or_else(|| {
            RPCError::Unreachable(Unreachable::from_string(format!(
                "node {} is not among this node's peers",
                self.target
            )))
        })
    }

    fn error(&self, action: RPCTypes, limit: Duration, error: LinkError) -> RPCError<TypeConfig> {
        match error {
            LinkError::Unreachable(..) => RPCError::Unreachable(Unreachable::new(&error)),
            LinkError::TimedOut(_) => RPCError::Timeout(Timeout {
                action,
                id: self.me,
                target: self.target,
                timeout: limit,
            }),
            _ => RPCError::Network(NetworkError::new(&error)),
        }
    }

    async fn ask_for_vote(
        &mut self,
        pre: bool,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        let limit = option.soft_ttl().min(VOTE_LIMIT);
        let body = Body::Vote(wire::vote_to(pre, &request));
        match self.link()?.call(body, limit).await {
            Ok(Body::Voted(voted)) => wire::voted_from(voted).map_err(bad),
            Ok(_) => Err(bad(LinkError::Mismatch(self.target))),
            Err(error) => Err(self.error(RPCTypes::Vote, limit, error)),
        }
    }
}

fn bad<E: std::error::Error + 'static>(error: E) -> RPCError<TypeConfig> {
    RPCError::Network(NetworkError::new(&error))
}

impl RaftNetworkV2<TypeConfig> for PeerClient {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        let body = Body::Append(wire::append_to(0, false, &request));
        match self.link()?.call(body, APPEND_LIMIT).await {
            Ok(Body::Appended(appended)) => {
                wire::appended_from(appended).map(AppendEntriesResponse::from).map_err(bad)
            }
            Ok(_) => Err(bad(LinkError::Mismatch(self.target))),
            Err(error) => Err(self.error(RPCTypes::AppendEntries, APPEND_LIMIT, error)),
        }
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        _option: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, AppendResult>, RPCError<TypeConfig>>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
    {
        Box::pin(async move {
            let link = self.link()?.clone();
            let session = if self.heartbeat { 0 } else { link.new_session() };
            let session = AppendSession {
                client: self,
                link,
                session,
                input,
                input_ended: false,
                sent_any: false,
                open: VecDeque::new(),
                over: false,
            };
            let output: BoxStream<'s, AppendResult> =
                Box::pin(futures::stream::unfold(session, AppendSession::next));
            Ok(output)
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_for_vote(false, request, option).await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_for_vote(true, request, option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: VoteOf<TypeConfig>,
        snapshot: SnapshotOf<TypeConfig, Bytes>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let link = self.link()?.clone();
        let mut cancel = std::pin::pin!(cancel);
        let transfer = snapshot_transfer::send(&link, vote, snapshot);
        tokio::select! {
            biased;
            closed = &mut cancel => Err(StreamingError::Closed(closed)),
            sent = transfer => match sent {
                Ok(response) => Ok(response),
                Err(error) => {
                    let limit = snapshot_transfer::PIECE_LIMIT;
                    Err(self.error(RPCTypes::InstallSnapshot, limit, error).into())
                }
            },
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        let body = Body::TransferLeader(wire::transfer_to(&request));
        match self.link()?.call(body, VOTE_LIMIT).await {
            Ok(Body::Done(_)) => Ok(Ok(())),
            Ok(_) => Err(bad(LinkError::Mismatch(self.target))),
            Err(error) => Err(self.error(RPCTypes::TransferLeader, VOTE_LIMIT, error)),
        }
    }
}

/// One pipelined session of appends.
struct AppendSession<'s, S> {
    client: &'s PeerClient,
    link: Arc<PeerLink>,
    /// 0: each request stands alone.
    session: u64,
    input: S,
    input_ended: bool,
    sent_any: bool,
    open: VecDeque<Question>,
    over: bool,
}

impl<'s, S> AppendSession<'s, S>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
{
    async fn next(mut self) -> Option<(AppendResult, Self)> {
        while !self.over {
            if self.open.is_empty() && self.input_ended {
                return None;
            }
            let may_send = !self.input_ended && self.open.len() < WINDOW;
            let step = match self.open.front_mut() {
                None => Step::Send(self.input.next().await),
                Some(first) if may_send => tokio::select! {
                    biased;
                    answer = first.answer(APPEND_LIMIT) => Step::Answer(answer),
                    request = self.input.next() => Step::Send(request),
                },
                Some(first) => Step::Answer(first.answer(APPEND_LIMIT).await),
            };
            let result = match step {
                Step::Send(None) => {
                    self.input_ended = true;
                    continue;
                }
                Step::Send(Some(request)) => match self.send(request) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Step::Answer(answer) => {
                    self.open.pop_front();
                    self.read(answer)
                }
            };
            // Only a success lets the session go on; the peer ends it for the rest.
            self.over = !matches!(result, Ok(Ok(_)));
            return Some((result, self));
        }
        None
    }

    fn send(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
    ) -> Result<(), RPCError<TypeConfig>> {
        let first = !self.sent_any;
        let body = Body::Append(wire::append_to(self.session, first, &request));
        let question = self
            .link
            .ask(body)
            .map_err(|error| self.client.error(RPCTypes::AppendEntries, APPEND_LIMIT, error))?;
        self.sent_any = true;
        self.open.push_back(question);
        Ok(())
    }

    fn read(&self, answer: Result<Body, LinkError>) -> AppendResult {
        match answer {
            Ok(Body::Appended(appended)) => wire::appended_from(appended).map_err(bad),
            Ok(_) => Err(bad(LinkError::Mismatch(self.client.target))),
            Err(error) => Err(self.client.error(RPCTypes::AppendEntries, APPEND_LIMIT, error)),
        }
    }
}

enum Step {
    Send(Option<AppendEntriesRequest<TypeConfig>>),
    Answer(Result<Body, LinkError>),
}

impl<S> Drop for AppendSession<'_, S> {
    fn drop(&mut self) {
        if self.session != 0 && self.sent_any {
            let end = pb::Append { session: self.session, end: true, ..Default::default() };
            self.link.tell(Body::Append(end));
        }
    }
}
