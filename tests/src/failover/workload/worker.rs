//! A client: its link to some node, its handles, and how it comes back after a failure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::{EchoRequest, Request, Response};
use holdfast_proto::types::{ClientGuid, SessionId};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::super::history::{At, ClientId, Event, HandleId, Operation, Stamp};
use super::handle::{Attempt, Handle};
use super::{Around, LONGEST, PATIENCE, PENDING_PATIENCE, Telltale};
use crate::client::{Envelope, Leases, Link, Logon, NoAnswer, Patience, Watcher, is_session_gone};
use crate::random::Random;

/// The pause before a request is repeated that the server could not serve just now.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// The pause after every node was tried in vain.
const RECONNECT_PAUSE: Duration = Duration::from_millis(10);
/// For a connection to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// For each answer on the way to a share: a server holds what it cannot decide for 10 s.
const LOGON_LIMIT: Duration = Duration::from_secs(12);

/// What a client is about, for who asks why nothing goes on.
pub type Step = Arc<Mutex<String>>;

/// A client of a round.
pub struct Worker {
    pub(super) id: ClientId,
    client_guid: ClientGuid,
    pub(super) around: Arc<Around>,
    watcher: Arc<dyn Watcher>,
    pub(super) random: Random,
    pub(super) link: Option<Link>,
    /// The last session that the server made for us.
    previous: SessionId,
    /// Raised whenever a connection was lost ([MS-SMB2] 3.2.4.1.5).
    channel_sequence: u16,
    pub(super) handles: BTreeMap<HandleId, Handle>,
    pub(super) leases: Arc<Mutex<Leases>>,
    /// Where to look first.
    pub(super) favourite: u64,
    step: Step,
    stamps: u64,
    pub(super) names: u64,
    /// For how long its handles are to outlive its connection, in milliseconds; 0: as the share has
    /// it.
    pub(super) timeout: u32,
    /// That time is over: no handle may be there any more.
    pub(super) is_late: bool,
}

impl Worker {
    /// A client whose first node is `favourite`.
    pub fn new(id: u64, around: Arc<Around>, favourite: u64, mut random: Random) -> Worker {
        let id = ClientId(id);
        let watcher = Arc::new(Telltale { around: around.clone(), client: id });
        Worker {
            id,
            client_guid: random.guid(),
            around,
            watcher,
            random,
            link: None,
            previous: SessionId(0),
            channel_sequence: 0,
            handles: BTreeMap::new(),
            leases: Arc::default(),
            favourite,
            step: Arc::default(),
            stamps: 0,
            names: 0,
            timeout: 0,
            is_late: false,
        }
    }

    /// Tells at any time what it is about.
    pub fn step(&self) -> Step {
        self.step.clone()
    }

    /// Lease breaks that it was sent.
    pub fn breaks(&self) -> u64 {
        self.leases.lock().breaks
    }

    pub(super) fn tell(&self, event: Event) {
        self.around.history.tell(self.id, event);
    }

    pub(super) fn now(&self) -> At {
        self.around.history.now()
    }

    pub(super) fn at(&self, step: impl Into<String>) {
        *self.step.lock() = step.into();
    }

    pub(super) fn stamp(&mut self) -> Stamp {
        self.stamps += 1;
        Stamp((self.id.0 + 1) << 32 | self.stamps)
    }

    pub(super) fn patience(&self) -> Patience {
        Patience { answer: PATIENCE, pending: PENDING_PATIENCE, cancel: false }
    }

    fn nodes(&self) -> u64 {
        self.around.addresses.len() as u64
    }

    /// The node may be gone: another one is tried first.
    fn look_elsewhere(&mut self) {
        self.favourite = self.favourite % self.nodes() + 1;
    }

    /// Leaves the node without a word.
    pub(super) fn drop_link(&mut self) {
        if let Some(link) = self.link.take() {
            link.connection.close();
            self.around.links.lock().remove(&self.id);
            self.channel_sequence = self.channel_sequence.wrapping_add(1);
            self.tell(Event::Unlinked);
        }
        self.leases.lock().purge();
        for handle in self.handles.values_mut() {
            handle.attached = false;
        }
    }

    /// Has a link, from wherever one can be had; goes on until there is one. New links find all
    /// handles again.
    pub(super) async fn ensure_link(&mut self) {
        let mut tried = 0;
        loop {
            if self.link.as_ref().is_some_and(|link| link.connection.is_closed()) {
                self.drop_link();
                self.look_elsewhere();
            }
            if self.link.is_some() {
                if self.reclaim_all().await.is_ok() {
                    return;
                }
                self.drop_link();
                self.look_elsewhere();
                continue;
            }
            self.connect().await;
            if self.link.is_none() {
                self.look_elsewhere();
                tried += 1;
                if tried % self.nodes() == 0 {
                    sleep(RECONNECT_PAUSE).await;
                }
            }
        }
    }

    /// Returns when the present link is gone.
    pub(super) async fn until_cut_off(&self) {
        if let Some(link) = &self.link {
            link.connection.closed().await;
        }
    }

    async fn connect(&mut self) {
        let node = self.favourite;
        self.at(format!("connecting to node {node}"));
        let Some(address) = self.around.addresses.get(node as usize - 1).copied() else { return };
        self.tell(Event::Connecting { node });
        let mut made = SessionId(0);
        let logon = Logon {
            account: &self.around.account,
            client_guid: self.client_guid,
            watcher: &self.watcher,
            leases: &self.leases,
            previous: self.previous,
            gmac: self.id.0.is_multiple_of(2),
            connect: CONNECT_LIMIT,
            limit: LOGON_LIMIT,
        };
        let linked = logon.run(node, address, &mut self.random, &mut made).await;
        if made != SessionId(0) {
            self.previous = made;
        }
        if let Ok(link) = linked {
            self.around.links.lock().insert(self.id, (node, link.connection.clone()));
            self.tell(Event::Linked { node });
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
            self.look_elsewhere();
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
        begun.elapsed() < LONGEST
    }

    /// Forgets a handle that is closed or gone.
    pub(super) fn forget(&mut self, id: HandleId) {
        if let Some(handle) = self.handles.remove(&id)
            && let Some(key) = handle.lease
        {
            self.leases.lock().forget(key);
        }
    }

    /// The server knows nothing of the handle.
    pub(super) fn lost(&mut self, id: HandleId, answer: NtStatus) {
        if let Some(handle) = self.handles.get(&id) {
            // A CLOSE without an answer has simply worked.
            if self.is_late {
                self.tell(Event::Expired { handle: id });
            } else if !handle.closing && handle.file_id.is_some() {
                let (file, answer) = (handle.file.clone(), answer.to_string());
                self.tell(Event::Lost { handle: id, file, answer });
            }
        }
        self.forget(id);
    }

    /// A request on the handle was answered.
    pub(super) fn answered(&self, handle: HandleId, operation: Operation, attempt: Attempt) {
        let Attempt { invoked, sent } = attempt;
        self.tell(Event::Answered { handle, operation, invoked, sent });
    }

    pub(super) fn bad(&self, what: String) {
        self.tell(Event::BadAnswer { what });
    }
}
