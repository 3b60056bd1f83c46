//! Nodes over real sockets and real time, as tasks of one process.
#![cfg(not(madsim))]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_cluster::disk::{Disk, LocalDisk};
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::kv::{Kv, SledStore};
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::peer::{PeerReply, PeerRequest};
use holdfast_cluster::raft::{Folder, Node, Ports, StartError, Started};
use holdfast_proto::types::{NodeId, SessionId};
use parking_lot::Mutex;
use support::*;
use tokio::time::{Instant, sleep, timeout};

struct Machine {
    node: NodeId,
    address: String,
    disk: Arc<dyn Disk>,
    kv: Arc<dyn Kv>,
    boots: u64,
}

struct World {
    machines: BTreeMap<u64, Machine>,
    graveyard: Arc<Graveyard>,
    clock: Arc<TestClock>,
    _folders: Folders,
}

impl World {
    async fn new(count: u64) -> World {
        show_log();
        let ports: Vec<u16> = (0..count)
            .map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port"))
            .collect::<Vec<_>>()
            .iter()
            .map(|listener| listener.local_addr().expect("an address").port())
            .collect();
        let address = |node: u64| format!("127.0.0.1:{}", ports[node as usize - 1]);
        let members = (1..=count).map(|node| (NodeId(node), address(node))).collect();
        let founding = founding(members);
        let folders = Folders::new();
        let mut machines = BTreeMap::new();
        for node in 1..=count {
            let (disk, kv) = folders.make(node).await;
            Folder::create(kv.clone(), disk.clone(), NodeId(node), &founding).await.expect("made");
            let machine =
                Machine { node: NodeId(node), address: address(node), disk, kv, boots: 0 };
            machines.insert(node, machine);
        }
        World {
            machines,
            graveyard: Arc::new(Graveyard::default()),
            clock: Arc::new(TestClock(Instant::now())),
            _folders: folders,
        }
    }

    async fn start(&mut self, node: u64) -> Started {
        self.begin(node).await.expect("joined")
    }

    fn begin(&mut self, node: u64) -> impl Future<Output = Result<Started, StartError>> + use<> {
        let machine = self.machines.get_mut(&node).expect("a machine");
        machine.boots += 1;
        let ports = Ports {
            disk: machine.disk.clone(),
            kv: machine.kv.clone(),
            clock: self.clock.clone(),
            random: Arc::new(TestRandom(Mutex::new(node * 1000 + machine.boots))),
            fencer: Arc::new(TestFencer {
                graveyard: self.graveyard.clone(),
                sees: true,
                kills: true,
            }),
            peer_handler: Arc::new(Agreeable),
        };
        Node::start(config(machine.node, &machine.address, machine.boots), ports)
    }
}

/// Folders of the tests' own, removed at the end of the world.
struct Folders(PathBuf);

impl Folders {
    fn new() -> Folders {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("holdfast-loopback-{}-{number}", std::process::id());
        Folders(std::env::temp_dir().join(name))
    }

    async fn make(&self, node: u64) -> (Arc<dyn Disk>, Arc<dyn Kv>) {
        let path = |part: &str| self.0.join(format!("node{node}")).join(part);
        std::fs::create_dir_all(path("log")).expect("a folder");
        let disk = LocalDisk::open(path("log")).expect("a disk");
        let kv = SledStore::open(&path("kv")).await.expect("a store");
        (Arc::new(disk), Arc::new(kv))
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_is_a_cluster_and_remembers() {
    let mut world = World::new(1).await;
    let first = world.start(1).await;
    let life = first.node.life();
    for i in 0..250 {
        let outcome = first.node.submit(put_share(&format!("s{i}"))).await;
        assert_eq!(outcome, Ok(Outcome::Done));
    }
    first.node.read_index().await.expect("a read index");
    let lease = first.node.node_lease().clone();
    until("a lease", || lease.is_connected()).await;
    first.node.shutdown().await;
    drop(first);

    let second = world.start(1).await;
    assert!(second.node.life().incarnation > life.incarnation);
    let state = second.node.state();
    for i in 0..250 {
        assert!(state.share_by_name(&format!("s{i}")).is_some(), "share s{i}");
    }
    second.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_survive_the_loss_of_any_one() {
    let mut world = World::new(3).await;
    let starts: Vec<_> = (1..=3).map(|node| tokio::spawn(world.begin(node))).collect();
    let mut nodes = BTreeMap::new();
    for start in starts {
        let started = start.await.expect("no panic").expect("joined");
        nodes.insert(started.node.life().node.0, started);
    }
    for (number, started) in &nodes {
        let outcome = started.node.submit(put_share(&format!("from{number}"))).await;
        assert_eq!(outcome, Ok(Outcome::Done));
        started.node.read_index().await.expect("a read index");
    }
    let reply = nodes[&1]
        .node
        .ask(NodeId(2), PeerRequest::EndSession { session: SessionId(1) }, Duration::from_secs(1))
        .await;
    assert_eq!(reply, Ok(PeerReply::NotNow));

    let leader = nodes[&1].node.leader().await.expect("a leader").0;
    let lost = nodes.remove(&leader).expect("the leader");
    let life = lost.node.life();
    lost.node.shutdown().await;
    world.graveyard.bury(life);
    let begun = Instant::now();
    let survivor = nodes.values().next().expect("a survivor");
    assert_eq!(survivor.node.submit(put_share("after")).await, Ok(Outcome::Done));
    println!("submitted {:?} after the leader's end", begun.elapsed());
    let node = survivor.node.clone();
    until("the fence", || node.state().has_ended(life)).await;
    println!("fenced {:?} after the leader's end", begun.elapsed());

    let back = timeout(Duration::from_secs(15), world.start(leader)).await.expect("in time");
    back.node.read_index().await.expect("a read index");
    assert!(back.node.state().share_by_name("after").is_some());
    assert!(back.node.life().incarnation > life.incarnation);
    nodes.insert(leader, back);
    for i in 0..300 {
        let node = &nodes[&(i % 3 + 1)].node;
        assert_eq!(node.submit(put_share(&format!("t{i}"))).await, Ok(Outcome::Done));
    }
    for started in nodes.values() {
        started.node.read_index().await.expect("a read index");
        assert!((0..300).all(|i| started.node.state().share_by_name(&format!("t{i}")).is_some()));
    }
    for started in nodes.values() {
        started.node.shutdown().await;
    }
}
