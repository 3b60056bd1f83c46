//! Three simulated nodes whose disks the test holds in its hands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_cluster::disk::sim::{SimDisk, SimLatency};
use holdfast_cluster::handle::{Cluster, SubmitError};
use holdfast_cluster::kv::{DiskStore, Kv};
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::raft::{Folder, Founding, Node, Ports, Snapshots, StartError};
use holdfast_proto::types::NodeId;
use madsim::runtime::{Handle, NodeHandle, Runtime};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::support::*;

/// Every sync takes between one and three milliseconds.
const LATENCY: SimLatency = SimLatency {
    ordinary: (Duration::from_millis(1), Duration::from_millis(3)),
    slow: (Duration::ZERO, Duration::ZERO),
    slow_percent: 0,
};

pub struct Disks {
    pub log: SimDisk,
    pub kv: SimDisk,
}

impl Disks {
    pub fn new(seed: u64) -> Disks {
        Disks { log: SimDisk::new(seed, LATENCY), kv: SimDisk::new(seed + 1, LATENCY) }
    }

    pub fn log_bytes(&self) -> u64 {
        let files = self.log.files();
        files.iter().filter(|(name, _)| name.ends_with(".wal")).map(|(_, length)| length).sum()
    }
}

pub struct Machine {
    node: NodeId,
    founding: Founding,
    snapshots: Snapshots,
    clock: Arc<TestClock>,
    pub disks: Mutex<Arc<Disks>>,
    boots: AtomicU64,
    pub up: Mutex<Option<Arc<Node>>>,
    /// Why the process ended by itself.
    pub ended: Mutex<Option<String>>,
}

impl Machine {
    pub fn disks(&self) -> Arc<Disks> {
        self.disks.lock().clone()
    }

    pub fn up(&self) -> Arc<Node> {
        self.up.lock().clone().expect("the node is up")
    }
}

async fn boot(machine: Arc<Machine>) {
    let boot = machine.boots.fetch_add(1, Ordering::Relaxed) + 1;
    *machine.ended.lock() = None;
    let disks = machine.disks();
    let disk = disks.log.boot();
    let kv: Arc<dyn Kv> = Arc::new(DiskStore::open(disks.kv.boot()).await.expect("a store"));
    if Folder::open(kv.clone()).await.is_err() {
        Folder::create(kv.clone(), disk.clone(), machine.node, &machine.founding)
            .await
            .expect("a folder");
    }
    let ports = Ports {
        disk,
        kv,
        clock: machine.clock.clone(),
        random: Arc::new(TestRandom(Mutex::new(machine.node.0 * 1000 + boot))),
        fencer: Arc::new(TestFencer {
            graveyard: Arc::new(Graveyard::default()),
            sees: false,
            kills: false,
        }),
        peer_handler: Arc::new(Agreeable),
    };
    let address = &machine.founding.members[&machine.node];
    let mut config = config(machine.node, address, boot);
    config.snapshots = machine.snapshots;
    let mut started = match Node::start(config, ports).await {
        Ok(started) => started,
        Err(error) => {
            let turned_away = matches!(error, StartError::TurnedAway(_));
            *machine.ended.lock() = Some(format!("turned away: {turned_away}; {error}"));
            return;
        }
    };
    *machine.up.lock() = Some(started.node.clone());
    tokio::spawn(async move { while started.effects.recv().await.is_some() {} });
    let why = started.node.halted().await;
    *machine.up.lock() = None;
    *machine.ended.lock() = Some(why);
}

pub struct World {
    pub machines: BTreeMap<u64, (Arc<Machine>, NodeHandle)>,
}

impl World {
    pub async fn new(seed: u64, snapshots: Snapshots) -> World {
        let address = |node: u64| format!("10.0.0.{node}:7000");
        let members = (1..=3).map(|node| (NodeId(node), address(node))).collect();
        let founding = founding(members);
        let clock = Arc::new(TestClock(Instant::now()));
        let mut machines = BTreeMap::new();
        for node in 1..=3u64 {
            let machine = Arc::new(Machine {
                node: NodeId(node),
                founding: founding.clone(),
                snapshots,
                clock: clock.clone(),
                disks: Mutex::new(Arc::new(Disks::new(seed * 100 + node * 10))),
                boots: AtomicU64::new(0),
                up: Mutex::new(None),
                ended: Mutex::new(None),
            });
            let for_boot = machine.clone();
            let handle = Handle::current()
                .create_node()
                .name(format!("node{node}"))
                .ip(format!("10.0.0.{node}").parse().expect("an address"))
                .init(move || boot(for_boot.clone()))
                .build();
            machines.insert(node, (machine, handle));
        }
        let world = World { machines };
        world.all_up().await;
        // Everybody has renewed, and knows of everybody.
        sleep(Duration::from_secs(1)).await;
        world
    }

    pub fn machine(&self, node: u64) -> Arc<Machine> {
        self.machines[&node].0.clone()
    }

    pub async fn all_up(&self) {
        self.wait("all nodes are up", Duration::from_secs(20), async || {
            self.machines.values().all(|(machine, _)| machine.up.lock().is_some())
        })
        .await;
    }

    pub async fn wait(&self, what: &str, limit: Duration, mut seen: impl AsyncFnMut() -> bool) {
        let until = Instant::now() + limit;
        while !seen().await {
            let ended: Vec<_> =
                self.machines.values().map(|(machine, _)| machine.ended.lock().clone()).collect();
            assert!(Instant::now() < until, "not in time: {what}; ended: {ended:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn stop(&self, node: u64, power_cut: bool) {
        let (machine, handle) = &self.machines[&node];
        Handle::current().kill(handle.id());
        machine.up.lock().take();
        let disks = machine.disks();
        for disk in [&disks.log, &disks.kv] {
            match power_cut {
                true => drop(disk.crash()),
                false => disk.stop(),
            }
        }
    }

    pub fn start(&self, node: u64) {
        Handle::current().restart(self.machines[&node].1.id());
    }

    /// Whom the others than `but` follow.
    pub async fn leader(&self, but: u64) -> Option<u64> {
        for (_, (machine, _)) in self.machines.iter().filter(|(node, _)| **node != but) {
            let up = machine.up.lock().clone();
            if let Some(leader) = up?.leader().await {
                return Some(leader.0);
            }
        }
        None
    }

    pub async fn put(&self, by: u64, name: &str) -> Result<Duration, SubmitError> {
        let begun = Instant::now();
        let outcome = self.machine(by).up().submit(put_share(name)).await?;
        assert_eq!(outcome, Outcome::Done);
        Ok(begun.elapsed())
    }

    /// All nodes come to have applied the same, and hold these shares.
    pub async fn agree(&self, shares: &[String]) {
        self.all_up().await;
        self.wait("the nodes agree", Duration::from_secs(20), async || {
            for (machine, _) in self.machines.values() {
                let up = machine.up.lock().clone();
                match up {
                    Some(up) if up.read_index().await.is_ok() => {}
                    _ => return false,
                }
            }
            let states: Vec<_> =
                self.machines.values().map(|(machine, _)| machine.up().state()).collect();
            states.windows(2).all(|pair| pair[0] == pair[1])
        })
        .await;
        for name in shares {
            assert!(self.machine(1).up().state().share_by_name(name).is_some(), "{name} is gone");
        }
    }
}

/// Each seed in a thread of its own, as the simulator wants it.
pub fn run<F: Future<Output = ()> + 'static>(test: fn(u64) -> F) {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    show_log();
    let first = number("SEED", 1);
    for seed in first..first + number("SEEDS", 4) {
        let one = move || {
            let mut runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
            runtime.set_time_limit(Duration::from_secs(900));
            runtime.block_on(test(seed));
        };
        std::thread::spawn(one).join().unwrap_or_else(|_| panic!("seed {seed}"));
    }
}
