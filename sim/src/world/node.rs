//! A node's process: the real server over simulated ports, with the watchdog's twin beside it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use holdfast_cluster::command::NodeIdentity;
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::kv::{DiskStore, Kv};
use holdfast_cluster::ports::Clock;
use holdfast_cluster::raft::{
    Folder, Founding, Node as Member, NodeConfig, PeerSecurity, Ports, Snapshots, Timing,
};
use holdfast_proto::types::{Guid, NodeId};
use holdfast_server::fence::watchdog;
use holdfast_server::incarnation::Incarnation;
use holdfast_server::node::Node;
use holdfast_server::peers::Peers;
use holdfast_server::vfs::Vfs;
use tokio::time::sleep;

use super::address::{PEER_PORT, node_ip};
use super::fencer::SimFencer;
use super::random::NodeRandom;
use super::supervisor::Task;
use super::{VOLUME, World};
use crate::clients::SMB_PORT;
use crate::plan::Fencing;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Makes every node's folder, as `holdfast cluster init` does.
pub async fn make_folders(world: &World) {
    let address = |node: u64| format!("{}:{PEER_PORT}", node_ip(node));
    let founding = Founding {
        cluster_id: Guid([0xc1; 16]),
        server_guid: Guid([0x5e; 16]),
        name: "holdfast".to_owned(),
        timers: world.plan.timers,
        members: (1..=world.plan.nodes).map(|node| (NodeId(node), address(node))).collect(),
    };
    for machine in &world.machines {
        let (log_disk, kv_disk) = machine.boot_disks();
        let kv = DiskStore::open(kv_disk).await.expect("a new disk opens");
        let node = NodeId(machine.number);
        Folder::create(Arc::new(kv), log_disk, node, &founding).await.expect("a new folder");
    }
}

/// One process, from its start until it is killed or gives up.
pub async fn run(world: Arc<World>, number: u64) {
    let boot = world.machine(number).boots();
    let why = match serve(&world, number, boot).await {
        Ok(why) => why,
        Err(error) => error.to_string(),
    };
    // The supervisor lives as long as the world.
    let _ = world.tasks.send(Task::Again { node: number, boot, why });
    std::future::pending::<()>().await;
}

async fn serve(world: &Arc<World>, number: u64, boot: u64) -> Result<String, Error> {
    let machine = world.machine(number);
    let (log_disk, kv_disk) = machine.boot_disks();
    let kv: Arc<dyn Kv> = Arc::new(DiskStore::open(kv_disk).await?);
    let clock: Arc<dyn Clock> = Arc::new(machine.clock);
    let random = Arc::new(NodeRandom::new(world.plan.seed, number, boot));
    let peers = Arc::<Peers>::default();
    let ports = Ports {
        disk: log_disk,
        kv,
        clock: clock.clone(),
        random: random.clone(),
        fencer: Arc::new(SimFencer::new(Arc::downgrade(world))),
        peer_handler: peers.clone(),
    };
    let started = Member::start(config(world, number, boot), ports).await?;
    let member = started.node;
    machine.joined(member.clone());
    let volume: Arc<dyn Vfs> = Arc::new(world.volume.clone());
    let volumes = BTreeMap::from([(VOLUME, volume)]);
    let cluster: Arc<dyn Cluster> = member.clone();
    let node = Arc::new(Node::new(cluster, volumes, clock.clone(), random));
    let operations = node.gate.operations();
    let address = SocketAddr::new(node_ip(number), SMB_PORT);
    let _incarnation = Incarnation::begin(node, &peers, started.effects, &[address]);
    let lease = member.node_lease().clone();
    let doomed = async {
        loop {
            sleep(watchdog::LOOK_EVERY).await;
            let in_flight = operations.load(Ordering::Acquire);
            if let Some(doom) = watchdog::look(&lease, in_flight, clock.boot()) {
                return doom.to_string();
            }
        }
    };
    tokio::select! {
        biased;
        doom = doomed => Ok(doom),
        halted = member.halted() => Ok(halted),
    }
}

fn config(world: &World, number: u64, boot: u64) -> NodeConfig {
    let host = match world.plan.fencing {
        Fencing::Kill => "host".to_owned(),
        Fencing::Storage => format!("host{number}"),
    };
    NodeConfig {
        node: NodeId(number),
        identity: NodeIdentity {
            name: format!("node{number}"),
            smb_address: format!("{}:{SMB_PORT}", node_ip(number)),
            peer_address: format!("{}:{PEER_PORT}", node_ip(number)),
            boot_id: host,
            pid: (number * 1_000 + boot) as u32,
            process_start: boot,
            lock_path: String::new(),
            machine_version: 1,
            // The folder itself says.
            folder: None,
        },
        security: PeerSecurity::Simulated,
        timing: Timing::default(),
        snapshots: Snapshots {
            every: world.plan.snapshot_every,
            keep: world.plan.snapshot_keep,
            ..Snapshots::default()
        },
    }
}
