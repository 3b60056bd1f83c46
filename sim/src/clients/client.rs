//! A client: its link to some node, its handles, and how it comes back after a failure.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::disk::sim::SimRandom;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::{EchoRequest, Request, Response};
use holdfast_proto::types::{ClientGuid, SessionId};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::connection::{NoAnswer, Patience};
use super::envelope::Envelope;
use super::handle::Handle;
use super::leases::Leases;
use super::logon::{Link, Logon};
use super::{SMB_PORT, Surroundings, guid, random_of};
use crate::event::{ClientEvent, ClientId, HandleId};
use crate::world::address::node_ip;

/// The pause before a request is repeated that the server could not serve just now.
const RETRY_PAUSE: Duration = Duration::from_millis(60);
/// The pause between two attempts to reach any node.
const RECONNECT_PAUSE: Duration = Duration::from_millis(40);

/// Statuses that mean "not now" ([MS-SMB2] 3.3.4.4).
pub fn is_not_now(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::FILE_NOT_AVAILABLE
            | NtStatus::SERVER_UNAVAILABLE
            | NtStatus::SHARE_UNAVAILABLE
            | NtStatus::INSUFFICIENT_RESOURCES
            | NtStatus::INSUFF_SERVER_RESOURCES
    )
}

/// Statuses that mean that the session is gone, not the handle.
pub fn is_session_gone(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::USER_SESSION_DELETED
            | NtStatus::NETWORK_SESSION_EXPIRED
            | NtStatus::NETWORK_NAME_DELETED
            | NtStatus::CONNECTION_DISCONNECTED
    )
}

/// A client of the simulation.
pub struct Client {
    pub(super) id: ClientId,
    pub(super) client_guid: ClientGuid,
    pub(super) around: Arc<Surroundings>,
    pub(super) random: SimRandom,
    pub(super) link: Option<Link>,
    /// The last session that the server made for us.
    previous: SessionId,
    /// Raised whenever a connection was lost.
    pub(super) channel_sequence: u16,
    pub(super) handles: BTreeMap<HandleId, Handle>,
    pub(super) leases: Arc<Mutex<Leases>>,
    /// Where to look first.
    pub(super) favourite: u64,
    /// What it is about, for who asks why nothing goes on.
    pub(super) step: Arc<Mutex<String>>,
    pub(super) names: u64,
}

impl Client {
    pub fn new(id: ClientId, around: Arc<Surroundings>, step: Arc<Mutex<String>>) -> Client {
        let mut random = random_of(around.plan.seed, id);
        let client_guid = guid(&mut random);
        let favourite = 1 + random.below(around.plan.nodes);
        Client {
            id,
            client_guid,
            around,
            random,
            link: None,
            previous: SessionId(0),
            channel_sequence: 0,
            handles: BTreeMap::new(),
            leases: Arc::default(),
            favourite,
            step,
            names: 0,
        }
    }

    pub(super) fn tell(&self, event: ClientEvent) {
        self.around.tape.client(self.id, event);
    }

    pub(super) fn at(&self, step: &str) {
        *self.step.lock() = step.to_owned();
    }

    pub(super) fn patience(&self) -> Patience {
        let plan = &self.around.plan;
        Patience {
            answer: plan.workload.patience,
            pending: Duration::from_millis(plan.timers.contender_wait_millis)
                + plan.workload.patience,
            cancel: false,
        }
    }

    /// Leaves the node without a word.
    pub(super) fn drop_link(&mut self) {
        if let Some(link) = self.link.take() {
            link.connection.close();
            self.channel_sequence = self.channel_sequence.wrapping_add(1);
        }
        self.leases.lock().purge();
        for handle in self.handles.values_mut() {
            handle.attached = false;
        }
        self.around.linked(self.id, 0, None);
    }

    pub(super) fn node(&self) -> u64 {
        self.link.as_ref().map_or(0, |link| link.node)
    }

    /// Has a link, from wherever one can be had; goes on until there is one. New links find all
    /// handles again.
    pub(super) async fn ensure_link(&mut self) {
        loop {
            if self.link.as_ref().is_some_and(|link| link.connection.is_closed()) {
                self.drop_link();
                // The node may be gone: try another one first.
                self.favourite = self.favourite % self.around.plan.nodes + 1;
            }
            if self.link.is_some() {
                if self.reclaim_all().await.is_ok() {
                    return;
                }
                self.drop_link();
                continue;
            }
            self.at("connecting");
            self.connect().await;
            if self.link.is_none() {
                let jitter = self.random.below(RECONNECT_PAUSE.as_millis() as u64);
                sleep(RECONNECT_PAUSE + Duration::from_millis(jitter)).await;
                self.favourite = self.favourite % self.around.plan.nodes + 1;
            }
        }
    }

    async fn connect(&mut self) {
        let node = self.favourite;
        let address = SocketAddr::new(node_ip(node), SMB_PORT);
        let mut made = SessionId(0);
        let logon = Logon {
            client: self.id,
            client_guid: self.client_guid,
            tape: &self.around.tape,
            leases: &self.leases,
            previous: self.previous,
            limit: self.around.plan.workload.patience,
        };
        let linked = logon.run(node, address, &mut self.random, &mut made).await;
        if made != SessionId(0) {
            self.previous = made;
        }
        if let Ok(link) = linked {
            self.around.linked(self.id, node, Some(link.connection.clone()));
            self.link = Some(link);
        }
    }

    /// One request over the present link.
    pub(super) async fn ask(
        &mut self,
        request: impl Into<Request>,
        replay: bool,
        patience: Patience,
    ) -> Result<(NtStatus, Response), NoAnswer> {
        let Some(link) = &self.link else { return Err(NoAnswer) };
        let envelope = Envelope {
            session: link.session,
            tree: link.tree,
            channel_sequence: self.channel_sequence,
            replay,
        };
        let connection = link.connection.clone();
        let answer = connection.ask(&request.into(), envelope, patience).await;
        let lost = match &answer {
            Err(_) => true,
            Ok((status, _)) => is_session_gone(*status),
        };
        if lost {
            self.drop_link();
            self.favourite = self.favourite % self.around.plan.nodes + 1;
            return Err(NoAnswer);
        }
        answer
    }

    /// True if the connection answers. Whatever the server wrote before is then processed.
    pub(super) async fn echo(&mut self) -> bool {
        matches!(self.ask(EchoRequest, false, self.patience()).await, Ok((NtStatus::SUCCESS, _)))
    }

    pub(super) async fn pause_before_retry(&mut self) {
        let jitter = self.random.below(RETRY_PAUSE.as_millis() as u64);
        sleep(RETRY_PAUSE + Duration::from_millis(jitter)).await;
    }

    /// True while an operation begun at `begun` is worth repeating.
    pub(super) fn goes_on(&self, begun: Instant) -> bool {
        let longest = Duration::from_millis(self.around.plan.timers.contender_wait_millis)
            + self.around.plan.workload.patience * 6;
        begun.elapsed() < longest
    }

    /// Forgets a handle that is closed or gone.
    pub(super) fn forget(&mut self, id: HandleId) {
        if let Some(handle) = self.handles.remove(&id)
            && let Some(key) = handle.lease
        {
            self.leases.lock().forget(key);
            self.tell(ClientEvent::LeaseGone { key });
        }
    }

    /// The server knows nothing of the handle.
    pub(super) fn lost(&mut self, id: HandleId, answer: NtStatus) {
        if let Some(handle) = self.handles.get(&id) {
            // A CLOSE without an answer has simply worked.
            if !handle.closing && handle.file_id.is_some() {
                let confirmed = handle.confirmed;
                self.tell(ClientEvent::Lost { handle: id, confirmed, answer: answer.to_string() });
            }
        }
        self.forget(id);
    }

    /// A request on the handle, sent at `sent`, was answered.
    pub(super) fn confirm(&mut self, id: HandleId, sent: crate::event::At) {
        if let Some(handle) = self.handles.get_mut(&id) {
            handle.confirmed = sent;
        }
        self.tell(ClientEvent::Confirmed { handle: id, sent });
    }
}
