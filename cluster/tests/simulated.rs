//! Nodes in the simulator: power cuts, partitions and fences, and what must hold after them.
//!
//! `RUSTFLAGS="--cfg madsim" cargo test --target x86_64-unknown-linux-gnu -p holdfast-cluster
//! --test simulated`; `SEED` and `SEEDS` choose other runs.
#![cfg(madsim)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use holdfast_cluster::disk::sim::{SimDisk, SimLatency};
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::kv::{DiskStore, Kv};
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::raft::{Folder, Founding, Node, Ports};
use holdfast_proto::types::NodeId;
use madsim::net::NetSim;
use madsim::rand::Rng;
use madsim::runtime::{Handle, NodeHandle, Runtime};
use parking_lot::Mutex;
use support::*;
use tokio::time::{Instant, sleep};

/// One node's machine: what outlives its processes.
struct Machine {
    node: NodeId,
    address: String,
    log: SimDisk,
    kv: SimDisk,
    boots: AtomicU64,
    /// The node that runs now, once it has joined.
    up: Mutex<Option<Arc<Node>>>,
}

/// What all nodes and the driver share.
struct Shared {
    founding: Founding,
    graveyard: Arc<Graveyard>,
    clock: Arc<TestClock>,
    acked: Mutex<BTreeSet<String>>,
    submitted: AtomicU64,
    /// What the fencers can do; drawn from the seed.
    sees: bool,
    kills: bool,
    calm: AtomicU64,
}

struct World {
    shared: Arc<Shared>,
    machines: BTreeMap<u64, (Arc<Machine>, NodeHandle)>,
    down: BTreeMap<u64, Instant>,
    left: Vec<NodeLife>,
}

async fn boot(machine: Arc<Machine>, shared: Arc<Shared>) {
    let boot = machine.boots.fetch_add(1, Ordering::Relaxed) + 1;
    let disk = machine.log.boot();
    let kv: Arc<dyn Kv> = Arc::new(DiskStore::open(machine.kv.boot()).await.expect("a store"));
    if boot == 1 {
        Folder::create(kv.clone(), disk.clone(), machine.node, &shared.founding)
            .await
            .expect("a folder");
    }
    let ports = Ports {
        disk,
        kv,
        clock: shared.clock.clone(),
        random: Arc::new(TestRandom(Mutex::new(machine.node.0 * 1000 + boot))),
        fencer: Arc::new(TestFencer {
            graveyard: shared.graveyard.clone(),
            sees: shared.sees,
            kills: shared.kills,
        }),
        peer_handler: Arc::new(Agreeable),
    };
    let config = config(machine.node, &machine.address, boot);
    let mut started = Node::start(config, ports).await.expect("a node");
    *machine.up.lock() = Some(started.node.clone());
    tokio::spawn(async move { while started.effects.recv().await.is_some() {} });
    let node = started.node;
    loop {
        if shared.calm.load(Ordering::Relaxed) == 0 {
            let number = shared.submitted.fetch_add(1, Ordering::Relaxed);
            let name = format!("share{number}");
            if let Ok(Outcome::Done) = node.submit(put_share(&name)).await {
                shared.acked.lock().insert(name);
            }
        }
        sleep(Duration::from_millis(40)).await;
    }
}

impl World {
    fn new(seed: u64, count: u64) -> World {
        let address = |node: u64| format!("10.0.0.{node}:7000");
        let members = (1..=count).map(|node| (NodeId(node), address(node))).collect();
        let shared = Arc::new(Shared {
            founding: founding(members),
            graveyard: Arc::new(Graveyard::default()),
            clock: Arc::new(TestClock(Instant::now())),
            acked: Mutex::default(),
            submitted: AtomicU64::new(0),
            sees: seed % 2 == 0,
            kills: seed % 3 != 0,
            calm: AtomicU64::new(0),
        });
        let mut machines = BTreeMap::new();
        for node in 1..=count {
            let disk =
                |part: u64| SimDisk::new(seed * 100 + node * 10 + part, SimLatency::default());
            let machine = Arc::new(Machine {
                node: NodeId(node),
                address: address(node),
                log: disk(1),
                kv: disk(2),
                boots: AtomicU64::new(0),
                up: Mutex::new(None),
            });
            let (for_boot, shared) = (machine.clone(), shared.clone());
            let handle = Handle::current()
                .create_node()
                .name(format!("node{node}"))
                .ip(format!("10.0.0.{node}").parse().expect("an address"))
                .init(move || boot(for_boot.clone(), shared.clone()))
                .build();
            machines.insert(node, (machine, handle));
        }
        World { shared, machines, down: BTreeMap::new(), left: Vec::new() }
    }

    fn live(&self) -> Vec<Arc<Node>> {
        self.machines.values().filter_map(|(machine, _)| machine.up.lock().clone()).collect()
    }

    fn stop(&mut self, node: u64, power_cut: bool, back_in: Duration) {
        let (machine, handle) = &self.machines[&node];
        Handle::current().kill(handle.id());
        if let Some(up) = machine.up.lock().take() {
            self.shared.graveyard.bury(up.life());
        }
        for disk in [&machine.log, &machine.kv] {
            match power_cut {
                true => drop(disk.crash()),
                false => disk.stop(),
            }
        }
        self.down.insert(node, Instant::now() + back_in);
    }

    /// Lets time pass: what a fencer killed is stopped, what was stopped comes back.
    async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            sleep(Duration::from_millis(20)).await;
            let killed: Vec<NodeLife> = std::mem::take(&mut *self.shared.graveyard.killed.lock());
            for life in killed {
                // None while it starts: its join is in the log, but it has not heard of it.
                let up = self.machines[&life.node.0].0.up.lock().clone();
                let down = self.down.contains_key(&life.node.0);
                if !down && up.is_none_or(|up| up.life() == life) {
                    self.stop(life.node.0, false, Duration::from_millis(500));
                }
            }
            // A node that learns of its fence ends itself.
            for node in self.live().into_iter().filter(|node| node.node_lease().is_fenced()) {
                self.stop(node.life().node.0, false, Duration::from_millis(500));
            }
            let due: Vec<u64> = self
                .down
                .iter()
                .filter(|(_, at)| **at <= Instant::now())
                .map(|(node, _)| *node)
                .collect();
            for node in due {
                self.down.remove(&node);
                Handle::current().restart(self.machines[&node].1.id());
            }
        }
    }

    async fn leader(&self) -> Option<u64> {
        for node in self.live() {
            if let Some(leader) = node.leader().await {
                return Some(leader.0);
            }
        }
        None
    }

    async fn fault(&mut self) {
        let mut rng = madsim::rand::thread_rng();
        let millis = |ms: u64| Duration::from_millis(ms);
        let any = rng.gen_range(1..=self.machines.len() as u64);
        let leader = self.leader().await.unwrap_or(any);
        let victim = if rng.gen_bool(0.6) { leader } else { any };
        match rng.gen_range(0..6) {
            3 => {
                let id = self.machines[&victim].1.id();
                Handle::current().pause(id);
                self.pass(millis(rng.gen_range(100..4000))).await;
                Handle::current().resume(id);
            }
            4 => {
                let up = self.machines[&victim].0.up.lock().clone();
                if let Some(up) = up {
                    if up.leave().await.is_ok() {
                        self.left.push(up.life());
                    }
                    up.shutdown().await;
                    self.stop(victim, false, millis(rng.gen_range(100..2000)));
                }
            }
            5 => {
                let accused = self.machines[&victim].0.up.lock().clone();
                let accuser = self.machines[&any].0.up.lock().clone();
                if let (Some(accused), Some(accuser)) = (accused, accuser) {
                    accuser.report_stuck(accused.life());
                }
            }
            0 if !self.down.contains_key(&victim) => {
                let back = millis(rng.gen_range(100..4000));
                self.stop(victim, rng.gen_bool(0.7), back);
                self.pass(millis(rng.gen_range(500..5000))).await;
            }
            1 => {
                let id = self.machines[&victim].1.id();
                NetSim::current().clog_node(id);
                self.pass(millis(rng.gen_range(300..5000))).await;
                NetSim::current().unclog_node(id);
            }
            _ => {
                let id = self.machines[&victim].1.id();
                NetSim::current().clog_node_in(id);
                self.pass(millis(rng.gen_range(300..3000))).await;
                NetSim::current().unclog_node_in(id);
            }
        }
        self.pass(millis(rng.gen_range(200..2000))).await;
    }

    /// Faults are over: within `limit` everybody is up and agrees.
    async fn converge(&mut self, limit: Duration) {
        self.shared.calm.store(1, Ordering::Relaxed);
        let deadline = Instant::now() + limit;
        loop {
            self.pass(Duration::from_millis(500)).await;
            let nodes = self.live();
            let all_up = nodes.len() == self.machines.len();
            let mut agree = all_up;
            for node in &nodes {
                agree &= node.read_index().await.is_ok();
                agree &= node.node_lease().is_connected();
                agree &= node.state().is_current(node.life());
            }
            if agree && nodes.windows(2).all(|pair| pair[0].state() == pair[1].state()) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "no convergence: {:?}",
                nodes
                    .iter()
                    .map(|node| (
                        node.life(),
                        node.applied(),
                        node.node_lease().is_connected(),
                        node.node_lease().is_fenced(),
                        node.state().is_current(node.life())
                    ))
                    .collect::<Vec<_>>()
            );
        }
    }
}

/// One run; equal seeds give equal results.
fn run(seed: u64, faults: u32) -> u64 {
    let mut runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
    runtime.set_time_limit(Duration::from_secs(600));
    runtime.block_on(async move {
        let mut world = World::new(seed, 3);
        let begun = Instant::now();
        world.pass(Duration::from_secs(3)).await;
        assert_eq!(world.live().len(), 3, "three nodes came up");
        for _ in 0..faults {
            world.fault().await;
        }
        world.converge(Duration::from_secs(40)).await;
        let nodes = world.live();
        let state = nodes[0].state();
        state.check().expect("the state holds together");
        for life in &world.left {
            assert!(state.has_ended(*life), "{life:?} left and is not over");
        }
        let acked = world.shared.acked.lock().clone();
        assert!(acked.len() > 20, "only {} submits were acknowledged", acked.len());
        for name in &acked {
            assert!(state.share_by_name(name).is_some(), "{name} was acknowledged and is gone");
        }
        let mut hasher = DefaultHasher::new();
        format!("{state:?}").hash(&mut hasher);
        nodes[0].applied().hash(&mut hasher);
        begun.elapsed().as_nanos().hash(&mut hasher);
        println!(
            "seed {seed}: {} acknowledged of {}, {} simulated, {:016x}",
            acked.len(),
            world.shared.submitted.load(Ordering::Relaxed),
            begun.elapsed().as_secs(),
            hasher.finish()
        );
        hasher.finish()
    })
}

/// In a thread of its own: what the standard library draws once per thread is drawn anew.
fn run_fresh(seed: u64, faults: u32) -> u64 {
    std::thread::spawn(move || run(seed, faults)).join().expect("the run holds")
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Plants the bug that `PLANT` names: the run is then expected to fail.
fn plant() {
    #[cfg(feature = "planted")]
    if let Ok(name) = std::env::var("PLANT") {
        let bug = holdfast_cluster::planted::PlantedBug::from_name(&name).expect("a known bug");
        holdfast_cluster::planted::plant(bug);
    }
}

#[test]
fn what_was_acknowledged_survives() {
    show_log();
    plant();
    let first = number("SEED", 1);
    for seed in first..first + number("SEEDS", 5) {
        run_fresh(seed, number("FAULTS", 8) as u32);
    }
}

#[test]
fn equal_seeds_give_equal_traces() {
    let seed = number("SEED", 77);
    assert_eq!(run_fresh(seed, 4), run_fresh(seed, 4));
}
