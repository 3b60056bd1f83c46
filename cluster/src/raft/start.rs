//! How a node comes up: the folder says which cluster and who the others are, the log and the
//! snapshot bring back the machine, and a join begins this incarnation.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_proto::types::Incarnation;
use openraft::errors::{InitializeError, RaftError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::closing::Closing;
use super::config::NodeConfig;
use super::folder::Folder;
use super::known_folders::{KnownFolders, forgot};
use super::log_health::{LogHealth, LogWatch};
use super::log_store::LogStore;
use super::network::acceptor::{Acceptor, serve};
use super::network::{Dialer, LinkEvent, Network, PeerLink, Speaker, peer_socket};
use super::node::{Node, PeerServices};
use super::node_lease::duties::{Duties, UnderWay, doubt_the_lost};
use super::node_lease::fencing::Fencing;
use super::node_lease::grants::Grants;
use super::node_lease::renewal::Renewal;
use super::proposer::Proposer;
use super::replica::{Effects, Replica};
use super::snapshot_store::SnapshotStore;
pub use super::start_error::StartError;
use super::state_machine::StateMachine;
use super::submitter::Submitter;
use super::type_config::PeerNode;
use super::{Raft, lives};
use crate::command::{Command, FenceProof, NodeLife, SubmitId};
use crate::disk::Disk;
use crate::handle::{NodeLease, SubmitError};
use crate::kv::Kv;
use crate::outcome::{Outcome, Refusal};
use crate::peer::PeerHandler;
use crate::ports::{Clock, Fencer, Random};
use crate::wal::{Position, WalConfig};

/// How long one attempt to join may take; attempts go on until there is a quorum.
const JOIN_LIMIT: Duration = Duration::from_secs(10);

/// What a node stands on.
pub struct Ports {
    /// The folder of the log.
    pub disk: Arc<dyn Disk>,
    /// The folder's key-value store.
    pub kv: Arc<dyn Kv>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub fencer: Arc<dyn Fencer>,
    pub peer_handler: Arc<dyn PeerHandler>,
}

/// A node that has joined.
pub struct Started {
    pub node: Arc<Node>,
    /// What the cluster wants done here, from the join on. What was due before is in the state.
    pub effects: Effects,
}

impl Node {
    /// Brings the node up and joins; returns once the join is applied here, which takes a quorum.
    /// The caller holds the node folder's exclusive lock: it proves this node's earlier
    /// incarnations dead.
    ///
    /// # Errors
    /// See [`StartError`]. The lack of a quorum is not one: it is waited for.
    pub async fn start(config: NodeConfig, ports: Ports) -> Result<Started, StartError> {
        let folder = Folder::open(ports.kv.clone()).await?;
        if folder.node() != config.node {
            return Err(StartError::OtherNode { folder: folder.node(), configured: config.node });
        }
        let own_address = check_addresses(&config, &folder)?;
        let closing = Arc::new(Closing::default());
        let started = Starting { config, ports, folder, closing: closing.clone(), own_address };
        let result = started.run().await;
        if result.is_err() {
            closing.close();
        }
        result
    }
}

/// Checks every member's address and returns this node's own.
fn check_addresses(config: &NodeConfig, folder: &Folder) -> Result<SocketAddr, StartError> {
    let mut own = None;
    for (node, address) in folder.members() {
        let socket = peer_socket(address, &config.security)?;
        if *node == config.node {
            own = Some(socket);
        }
    }
    own.ok_or(StartError::NotAMember(config.node))
}

/// A node on its way up.
struct Starting {
    config: NodeConfig,
    ports: Ports,
    folder: Folder,
    closing: Arc<Closing>,
    own_address: SocketAddr,
}

impl Starting {
    async fn run(mut self) -> Result<Started, StartError> {
        let folder = self.folder.identity(self.ports.random.as_ref()).await?;
        self.config.identity.folder = Some(folder);
        let speaker = Speaker {
            cluster_id: self.folder.cluster_id(),
            node: self.config.node.0,
            incarnation: Arc::new(AtomicU64::new(0)),
            folder,
        };
        let (replica, effects) = Replica::new(self.config.node);
        let known = KnownFolders::new(self.ports.kv.clone(), replica.clone());
        let (events_tx, events) = mpsc::unbounded_channel();
        let links = self.links(&speaker, &events_tx, &known);
        let (raft, log) = self.raft(&replica, &links).await?;
        let parts = self.assemble(&raft, &log, &replica, &links);
        let served = self.serve(&speaker, &raft, &known, &parts);
        self.initialize(&raft).await?;
        self.closing.spawn(doubt_the_lost(parts.grants.clone(), parts.submitter.clone(), events));
        let joined = self.join(&parts);
        let (life, session_prefix) = tokio::select! {
            biased;
            why = served => {
                let why = why.unwrap_or_else(|_| "stopped".to_owned());
                return Err(StartError::Serve(self.own_address, why));
            }
            fatal = super::node::halted(raft.clone(), log.clone()) => {
                return Err(StartError::Raft(fatal));
            }
            why = known.turned_away() => return Err(StartError::TurnedAway(why)),
            joined = joined => joined?,
        };
        speaker.incarnation.store(life.incarnation.0, Ordering::Release);
        replica.begin_life(life);
        self.begin_life(life, &parts);
        let node = Node {
            life,
            session_prefix,
            raft,
            replica,
            submitter: parts.submitter,
            log,
            links,
            peer_handler: self.ports.peer_handler.clone(),
            grants: parts.grants,
            fencing: parts.fencing,
            closing: self.closing.clone(),
        };
        let node = Arc::new(node);
        self.closing.spawn(node.clone().watch_raft());
        Ok(Started { node, effects })
    }

    fn links(
        &self,
        speaker: &Speaker,
        events: &mpsc::UnboundedSender<LinkEvent>,
        known: &Arc<KnownFolders>,
    ) -> Arc<BTreeMap<u64, Arc<PeerLink>>> {
        let others = self.folder.members().iter().filter(|(node, _)| **node != self.config.node);
        let links = others.map(|(node, address)| {
            let (events, known) = (events.clone(), known.clone());
            let dialer = Dialer::new(node.0, address.clone(), self.config.security.clone());
            let link = PeerLink::new(speaker.clone(), node.0, dialer, events, known);
            self.closing.spawn(link.clone().run());
            (node.0, link)
        });
        Arc::new(links.collect())
    }

    async fn raft(
        &self,
        replica: &Arc<Replica>,
        links: &Arc<BTreeMap<u64, Arc<PeerLink>>>,
    ) -> Result<(Raft, Arc<LogHealth>), StartError> {
        let identity = self.folder.log_identity();
        let log = LogStore::open(self.ports.disk.clone(), identity, WalConfig::default()).await?;
        let health = LogHealth::new(log.wal().clone());
        let snapshots = Arc::new(SnapshotStore::new(self.ports.kv.clone()));
        let cluster_id = self.folder.cluster_id();
        let machine =
            StateMachine::open(cluster_id, replica.clone(), snapshots, health.clone()).await?;
        check_covered(machine.covered(), log.wal().state().purged)?;
        let config = Arc::new(self.config.raft()?);
        let network = Network::new(self.config.node.0, links.clone());
        let raft = Raft::new(self.config.node.0, config, network, log, machine)
            .await
            .map_err(|fatal| StartError::Raft(fatal.to_string()))?;
        Ok((raft, health))
    }

    fn assemble(
        &self,
        raft: &Raft,
        log: &Arc<LogHealth>,
        replica: &Arc<Replica>,
        links: &Arc<BTreeMap<u64, Arc<PeerLink>>>,
    ) -> Parts {
        let clock = self.ports.clock.clone();
        let (proposer, stamping) = Proposer::new(raft.clone(), log.clone(), clock.clone());
        self.closing.spawn(stamping.run());
        let submitter = Arc::new(Submitter {
            node: self.config.node,
            raft: raft.clone(),
            replica: replica.clone(),
            proposer,
            links: links.clone(),
            lease: Arc::new(NodeLease::default()),
            closing: self.closing.clone(),
            // Before the join ids belong to no incarnation and must not meet an earlier boot's.
            sequence: AtomicU64::new(self.ports.random.next_u64() >> 1),
        });
        let grants = Grants::new(submitter.clone(), clock.clone());
        let fencing = Fencing::new(submitter.clone(), self.ports.fencer.clone(), clock.clone());
        let duties = Duties {
            submitter: submitter.clone(),
            grants: grants.clone(),
            clock,
            founding: self.folder.founding().clone(),
            under_way: Arc::new(UnderWay::default()),
        };
        self.closing.spawn(duties.run());
        let watch = LogWatch {
            health: log.clone(),
            submitter: submitter.clone(),
            grants: grants.clone(),
            patience: self.config.timing.election_max,
            log_bytes: self.config.snapshots.log_bytes,
        };
        self.closing.spawn(watch.run());
        Parts { submitter, grants, fencing, log: log.clone() }
    }

    /// Serves the other nodes; resolves only if that fails.
    fn serve(
        &self,
        speaker: &Speaker,
        raft: &Raft,
        known: &Arc<KnownFolders>,
        parts: &Parts,
    ) -> oneshot::Receiver<String> {
        let services = PeerServices {
            submitter: parts.submitter.clone(),
            grants: parts.grants.clone(),
            peer_handler: self.ports.peer_handler.clone(),
        };
        let acceptor = Acceptor {
            me: speaker.clone(),
            peers: self.folder.members().keys().map(|node| node.0).collect::<BTreeSet<_>>(),
            raft: raft.clone(),
            log: parts.log.clone(),
            known: known.clone(),
            services: Arc::new(services),
            closing: self.closing.clone(),
        };
        let (failed_tx, failed) = oneshot::channel();
        let (address, security) = (self.own_address, self.config.security.clone());
        self.closing.spawn(async move {
            let why = match serve(acceptor, address, security).await {
                Ok(()) => "closed".to_owned(),
                Err(error) => error.to_string(),
            };
            tracing::warn!(%address, why, "no longer serving the other nodes");
            // After the start nobody listens; the node then counts as cut off.
            let _ = failed_tx.send(why);
        });
        failed
    }

    /// A folder's first start begins the log with the members; never again.
    async fn initialize(&mut self, raft: &Raft) -> Result<(), StartError> {
        let fatal = |error: &dyn std::fmt::Display| StartError::Raft(error.to_string());
        let has_log = raft.is_initialized().await.map_err(|e| fatal(&e))?;
        if self.folder.is_initialized() {
            return match has_log {
                true => Ok(()),
                false => Err(StartError::LogMissing(self.folder.cluster_id())),
            };
        }
        if !has_log {
            let members: BTreeMap<u64, PeerNode> = self
                .folder
                .members()
                .iter()
                .map(|(node, address)| (node.0, PeerNode { addr: address.clone() }))
                .collect();
            match raft.initialize(members).await {
                Ok(()) => {}
                // Another founder was faster: its log has reached this node.
                Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {}
                Err(error) => return Err(fatal(&error)),
            }
        }
        self.folder.set_initialized().await?;
        Ok(())
    }

    /// Joins under an id of this boot, again and again until the join is applied here.
    async fn join(&self, parts: &Parts) -> Result<(NodeLife, u32), StartError> {
        let replica = &parts.submitter.replica;
        while !lives::is_founded(&replica.state()) {
            sleep(Duration::from_millis(20)).await;
        }
        let node = self.config.node;
        let id = SubmitId {
            node,
            incarnation: Incarnation(0),
            sequence: self.ports.random.next_u64() >> 1,
        };
        let command = Command::JoinNode {
            node,
            identity: self.config.identity.clone(),
            proof: FenceProof::Rejoined,
        };
        loop {
            match parts.submitter.submit_as(id, command.clone(), JOIN_LIMIT).await {
                Ok(Outcome::Joined { incarnation, session_prefix }) => {
                    tracing::info!(%node, %incarnation, "joined");
                    return Ok((NodeLife { node, incarnation }, session_prefix));
                }
                Ok(Outcome::Refused(Refusal::OtherFolder)) => {
                    return Err(StartError::TurnedAway(forgot(node.0)));
                }
                Ok(Outcome::Refused(refusal)) => return Err(StartError::JoinRefused(refusal)),
                Ok(other) => return Err(StartError::Raft(format!("a join came to {other:?}"))),
                Err(SubmitError::Unknown) => tracing::info!(%node, "no quorum yet, join goes on"),
                Err(SubmitError::Ended) => return Err(StartError::Closed),
            }
        }
    }

    fn begin_life(&self, life: NodeLife, parts: &Parts) {
        parts.submitter.sequence.store(1, Ordering::Release);
        self.closing.spawn(parts.fencing.clone().run());
        let renewal = Renewal {
            life,
            submitter: parts.submitter.clone(),
            grants: parts.grants.clone(),
            log: parts.log.clone(),
            clock: self.ports.clock.clone(),
        };
        self.closing.spawn(renewal.run());
    }
}

/// Entries are purged only once a durable snapshot holds them; if it does not, it is not the one that
/// was saved.
fn check_covered(covered: Option<u64>, purged: Option<Position>) -> Result<(), StartError> {
    match purged {
        Some(Position { index: purged, .. }) if covered.is_none_or(|covered| covered < purged) => {
            Err(StartError::SnapshotMissing { purged, covered: covered.unwrap_or(0) })
        }
        _ => Ok(()),
    }
}

/// What several tasks of the node share.
struct Parts {
    submitter: Arc<Submitter>,
    grants: Arc<Grants>,
    fencing: Arc<Fencing>,
    log: Arc<LogHealth>,
}
