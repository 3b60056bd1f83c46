//! Nodes over real sockets and real time, as tasks of one process.
#![cfg(not(madsim))]

#[path = "support/authority.rs"]
mod authority;
mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authority::Authority;
use holdfast_cluster::disk::{Disk, LocalDisk};
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::kv::{Kv, SledStore};
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::peer::{PeerReply, PeerRequest};
use holdfast_cluster::raft::{
    Folder, Node, PeerCredentials, PeerSecurity, Ports, StartError, Started,
};
use holdfast_proto::types::{Guid, NodeId, SessionId};
use parking_lot::Mutex;
use support::*;
use tokio::time::{Instant, sleep, timeout};

struct Machine {
    node: NodeId,
    address: String,
    disk: Arc<dyn Disk>,
    kv: Arc<dyn Kv>,
    boots: u64,
    security: PeerSecurity,
}

struct World {
    machines: BTreeMap<u64, Machine>,
    graveyard: Arc<Graveyard>,
    clock: Arc<TestClock>,
    _folders: Folders,
}

impl World {
    async fn new(count: u64) -> World {
        World::with(count, |_| PeerSecurity::Loopback).await
    }

    async fn with(count: u64, security: impl Fn(u64) -> PeerSecurity) -> World {
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
            let machine = Machine {
                node: NodeId(node),
                address: address(node),
                disk,
                kv,
                boots: 0,
                security: security(node),
            };
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
        let mut config = config(machine.node, &machine.address, machine.boots);
        config.security = machine.security.clone();
        Node::start(config, ports)
    }

    async fn start_all(&mut self) -> BTreeMap<u64, Started> {
        let numbers: Vec<u64> = self.machines.keys().copied().collect();
        let starts: Vec<_> = numbers.iter().map(|node| tokio::spawn(self.begin(*node))).collect();
        let mut nodes = BTreeMap::new();
        for start in starts {
            let started = start.await.expect("no panic").expect("joined");
            nodes.insert(started.node.life().node.0, started);
        }
        nodes
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
    let mut nodes = world.start_all().await;
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

/// The cluster that [`founding`] founds.
const CLUSTER: Guid = Guid([7; 16]);

fn credentials(authority: &Authority, node: u64, trusted: &str) -> Arc<PeerCredentials> {
    let identity = authority.issue(node);
    let made = PeerCredentials::new(CLUSTER, node, identity.as_bytes(), trusted.as_bytes());
    Arc::new(made.expect("good credentials"))
}

/// Commits one after the other through each node in turn; says how long each took.
async fn commit(nodes: &BTreeMap<u64, Started>, what: &str, count: u64) -> Vec<Duration> {
    let mut took = Vec::new();
    for i in 0..count {
        let node = &nodes[&(i % nodes.len() as u64 + 1)].node;
        let begun = Instant::now();
        let outcome = node.submit(put_share(&format!("{what}{i}"))).await;
        assert_eq!(outcome, Ok(Outcome::Done));
        took.push(begun.elapsed());
    }
    for started in nodes.values() {
        started.node.read_index().await.expect("a read index");
        let state = started.node.state();
        assert!((0..count).all(|i| state.share_by_name(&format!("{what}{i}")).is_some()));
    }
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_authorities_change_under_a_cluster_that_works() {
    let (old, new) = (Authority::new(CLUSTER), Authority::new(CLUSTER));
    let held: BTreeMap<u64, Arc<PeerCredentials>> =
        (1..=3).map(|node| (node, credentials(&old, node, &old.pem()))).collect();
    let security = |node| PeerSecurity::Certificates(Arc::clone(&held[&node]));
    let mut world = World::with(3, security).await;
    let mut nodes = world.start_all().await;
    commit(&nodes, "before", 30).await;

    // First everybody trusts both authorities, then has a certificate of the new one, and then
    // trusts that alone. Each step takes one node after the other, with commits in between.
    let both = new.pem() + &old.pem();
    for (node, held) in &held {
        held.replace(old.issue(*node).as_bytes(), both.as_bytes()).expect("both are trusted");
        commit(&nodes, &format!("both{node}-"), 30).await;
    }
    for (node, held) in &held {
        held.replace(new.issue(*node).as_bytes(), both.as_bytes()).expect("of the new one");
        commit(&nodes, &format!("new{node}-"), 30).await;
    }
    // Its streams were opened with the old certificate; anew they are with the new one.
    let lost = nodes.remove(&2).expect("node 2");
    let life = lost.node.life();
    lost.node.shutdown().await;
    world.graveyard.bury(life);
    nodes.insert(2, timeout(Duration::from_secs(15), world.start(2)).await.expect("in time"));
    for (node, held) in &held {
        held.replace(new.issue(*node).as_bytes(), new.pem().as_bytes()).expect("the new one alone");
        commit(&nodes, &format!("alone{node}-"), 30).await;
    }
    for started in nodes.values() {
        started.node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_this_clusters_certificate_takes_no_part() {
    let (own, foreign) = (Authority::new(CLUSTER), Authority::new(CLUSTER));
    let security = |node| {
        let authority = if node == 3 { &foreign } else { &own };
        PeerSecurity::Certificates(credentials(authority, node, &authority.pem()))
    };
    let mut world = World::with(3, security).await;
    let third = tokio::spawn(world.begin(3));
    let starts = [tokio::spawn(world.begin(1)), tokio::spawn(world.begin(2))];
    let mut nodes = BTreeMap::new();
    for start in starts {
        let started = start.await.expect("no panic").expect("two of three are a quorum");
        nodes.insert(started.node.life().node.0, started);
    }
    commit(&nodes, "without", 30).await;
    assert!(!third.is_finished(), "the third neither joined nor hurt itself");
    third.abort();
    for started in nodes.values() {
        assert!(started.node.state().nodes().all(|(node, _)| node != NodeId(3)));
        started.node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_costs_about_the_same_with_certificates() {
    let authority = Authority::new(CLUSTER);
    let security =
        |node| PeerSecurity::Certificates(credentials(&authority, node, &authority.pem()));
    let (mut plain, mut sealed) = (World::new(3).await, World::with(3, security).await);
    let worlds = [plain.start_all().await, sealed.start_all().await];
    for nodes in &worlds {
        commit(nodes, "warm", 30).await;
    }
    // In turns, so that whatever else the machine does weighs on both.
    let mut took = [Vec::new(), Vec::new()];
    for round in 0..40 {
        for (nodes, took) in worlds.iter().zip(&mut took) {
            took.extend(commit(nodes, &format!("round{round}-"), 15).await);
        }
    }
    let mut medians = Vec::new();
    for (what, took) in ["plain", "TLS 1.3"].iter().zip(&mut took) {
        took.sort();
        let at = |percent: usize| took[took.len() * percent / 100];
        println!("{what}: a commit takes {:?} (p50), {:?} (p99)", at(50), at(99));
        medians.push(at(50));
    }
    for started in worlds.iter().flat_map(BTreeMap::values) {
        started.node.shutdown().await;
    }
    assert!(medians[1] < medians[0] * 3 + Duration::from_millis(3), "{medians:?}");
}
