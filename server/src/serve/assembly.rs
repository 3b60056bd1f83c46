//! Puts a node together: which implementation stands behind which port.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::ports::{Clock, Random};
use holdfast_cluster::raft::{self, PeerSecurity};
use holdfast_proto::types::{Guid, NodeId, VolumeId};
use tokio::time::timeout;

use super::{Held, identity};
use crate::admin::{self, AdminService, Membership, NodeView};
use crate::certificates::{CertificateFolder, ParcelFolder, keep_current};
use crate::clock::HostClock;
use crate::config::NodeConfig;
use crate::doctor::network::PathLimits;
use crate::fence::{CommandFencer, FenceLog, NodeFencer, SameHostFencer, start_watchdog};
use crate::incarnation::Incarnation;
use crate::node::Node;
use crate::peers::Peers;
use crate::random::HostRandom;
use crate::signal::Signal;
use crate::vfs::Vfs;
use crate::vfs::local::LocalVolume;

/// How long the others may take to hear that this node leaves. When a whole cluster is stopped, the
/// last nodes have nobody left to tell.
const LEAVE_WAIT: Duration = Duration::from_millis(800);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs the node until it is asked to end, or cannot go on.
pub async fn run(
    config: &NodeConfig,
    held: &Held,
    asked_to_end: impl Future<Output = ()>,
) -> Result<(), Error> {
    tokio::pin!(asked_to_end);
    let clock: Arc<dyn Clock> = Arc::new(HostClock);
    let random: Arc<dyn Random> = Arc::new(HostRandom);
    let fencings = Arc::<FenceLog>::default();
    let peers = Arc::<Peers>::default();
    let volumes = open_volumes(config)?;

    let (ports, cluster_id) = ports(config, held, &clock, &random, &fencings, &peers).await?;
    let security = security(config, held, cluster_id, &clock)?;
    let cluster_config = raft::NodeConfig {
        node: config.id,
        identity: identity(config, held),
        security,
        timing: raft::Timing {
            heartbeat: config.timers.heartbeat,
            election_min: config.timers.election_min,
            election_max: config.timers.election_max,
        },
        snapshots: raft::Snapshots::default(),
    };
    let membership = Arc::<OnceLock<Membership>>::default();
    let stop = Signal::default();
    let volume_ids = config.volumes.keys().copied().collect();
    let admin = AdminService::new(config.id, membership.clone(), fencings, volume_ids);
    let admin = admin::serve(&held.folder, admin, stop.wait());
    tokio::pin!(admin);

    let started = tokio::select! {
        biased;
        () = &mut asked_to_end => return Ok(()),
        ended = &mut admin => return Err(admin_ended(ended)),
        started = raft::Node::start(cluster_config, ports) => started?,
    };
    let member = started.node;
    tracing::info!(incarnation = member.life().incarnation.0, "joined");
    // Nobody asks for the locks of earlier lives any more: the join proved them over.
    held.life_lock.forget_earlier(&held.folder)?;

    let cluster: Arc<dyn Cluster> = member.clone();
    let node = Arc::new(Node::new(cluster.clone(), volumes, clock.clone(), random));
    start_watchdog(member.node_lease().clone(), node.gate.operations(), clock.clone())?;
    let serving = node.clone();
    let incarnation = Incarnation::begin(node, &peers, started.effects, &config.smb_listen);
    let path_limits = PathLimits {
        heartbeat: config.timers.heartbeat,
        election: config.timers.election_min,
        lease: raft::NODE_LEASE,
    };
    let view = MemberView { member: member.clone(), node: serving.clone(), clock };
    let joined = Membership { cluster, view: Arc::new(view), node: serving, path_limits };
    assert!(membership.set(joined).is_ok(), "a process joins once");

    let why = tokio::select! {
        biased;
        () = &mut asked_to_end => Ok(()),
        // Nothing can be given back without the log, and every moment counts for who takes over.
        halted = member.halted() => return Err(format!("this node cannot go on: {halted}").into()),
        ended = &mut admin => Err(admin_ended(ended)),
    };
    end(&incarnation, &member).await;
    why
}

fn admin_ended(how: Result<(), Error>) -> Error {
    match how {
        Ok(()) => "the admin service ended by itself".into(),
        Err(error) => format!("the admin service: {error}").into(),
    }
}

/// What this node served goes on elsewhere at once if it can say that it is done.
async fn end(incarnation: &Incarnation, member: &raft::Node) {
    if incarnation.drain().await {
        match timeout(LEAVE_WAIT, member.leave()).await {
            Ok(Ok(())) => tracing::info!("left the cluster"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the others did not hear that this node leaves")
            }
            Err(_) => tracing::warn!("no quorum heard that this node leaves"),
        }
    } else {
        tracing::warn!("not everything has drained; the others will have to see this process end");
    }
    member.shutdown().await;
}

/// What the admin service tells of this node besides the cluster's state.
struct MemberView {
    member: Arc<raft::Node>,
    node: Arc<Node>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl NodeView for MemberView {
    async fn leader(&self) -> Option<NodeId> {
        self.member.leader().await
    }

    fn log_trouble(&self) -> Option<String> {
        self.member.log_trouble()
    }

    fn is_serving(&self) -> bool {
        let lease = self.member.node_lease();
        lease.is_connected() && lease.holds(self.clock.boot()) && !self.is_withdrawn()
    }

    fn is_withdrawn(&self) -> bool {
        self.node.service.is_withdrawn()
    }
}

async fn ports(
    config: &NodeConfig,
    held: &Held,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
    fencings: &Arc<FenceLog>,
    peers: &Arc<Peers>,
) -> Result<(raft::Ports, Guid), Error> {
    let stores = held.folder.open_stores().await?;
    let cluster_id = held.folder.check_members(config, &stores).await?;
    let (clock_of, log_of) = (|| Arc::clone(clock), || Arc::clone(fencings));
    let same_host = SameHostFencer::new(held.stamp.boot_id.clone(), clock_of(), log_of());
    let command =
        config.fence.command.clone().map(|command| {
            CommandFencer::new(command, config.id, cluster_id, clock_of(), log_of())
        });
    let fencer = NodeFencer::new(same_host, command, config.fence.used, clock_of(), log_of());
    let ports = raft::Ports {
        disk: stores.disk,
        kv: stores.kv,
        clock: Arc::clone(clock),
        random: Arc::clone(random),
        fencer: Arc::new(fencer),
        peer_handler: peers.clone(),
    };
    Ok((ports, cluster_id))
}

/// How this node and the others know each other.
fn security(
    config: &NodeConfig,
    held: &Held,
    cluster_id: Guid,
    clock: &Arc<dyn Clock>,
) -> Result<PeerSecurity, Error> {
    let Some(path) = &config.certificates else { return Ok(PeerSecurity::Loopback) };
    let folder = CertificateFolder::at(path);
    let credentials = folder
        .credentials(cluster_id, config.id)
        .map_err(|error| format!("cluster.certificates: {error}"))?;
    let parcels = ParcelFolder::at(held.folder.parcels(), Arc::clone(clock));
    let credentials = Arc::new(credentials.with_parcels(Arc::new(parcels)));
    // It ends with the runtime, that is with the process.
    tokio::spawn(keep_current(folder, credentials.clone(), Arc::clone(clock)));
    Ok(PeerSecurity::Certificates(credentials))
}

fn open_volumes(config: &NodeConfig) -> Result<BTreeMap<VolumeId, Arc<dyn Vfs>>, Error> {
    let mut volumes = BTreeMap::<VolumeId, Arc<dyn Vfs>>::new();
    for (id, path) in &config.volumes {
        let volume = LocalVolume::open(path, *id)
            .map_err(|error| format!("volume {} at {}: {error}", id.0, path.display()))?;
        volumes.insert(*id, Arc::new(volume));
    }
    Ok(volumes)
}
