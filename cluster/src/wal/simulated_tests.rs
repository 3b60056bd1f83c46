//! The log in the simulator: a node that is killed with its power, on disks whose syncs take time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::*;
use crate::disk::sim::{SimDisk, SimLatency, SimLosses};

const IDENTITY: WalIdentity = WalIdentity { cluster: [3; 16], node: 1 };
const CONFIG: WalConfig = WalConfig {
    segment_bytes: 4000,
    cache_bytes: 2000,
    group_bytes: 2000,
    queue: 64,
    reserve_bytes: 3000,
    low_bytes: 0,
};

/// What the harness knows of the node: which entries were reported as durable.
#[derive(Default)]
struct Observed {
    durable: u64,
    opened: u32,
}

async fn node(disk: SimDisk, observed: Arc<Mutex<Observed>>) {
    let wal = Wal::open(disk.boot(), IDENTITY, CONFIG).await.unwrap();
    let next = wal.state().last.map_or(0, |last| last.index + 1);
    {
        let mut observed = observed.lock();
        assert!(next >= observed.durable, "{next} entries, {} were durable", observed.durable);
        observed.opened += 1;
    }
    for index in next.. {
        let entry = LogEntry {
            position: Position { term: 1, index },
            body: Bytes::from(vec![index as u8; 300]),
        };
        let observed = observed.clone();
        let done = Box::new(move |outcome: Result<(), WalError>| {
            if outcome.is_ok() {
                let mut observed = observed.lock();
                observed.durable = observed.durable.max(index + 1);
            }
        });
        wal.append(vec![entry], done).await.unwrap();
        if index % 50 == 49 {
            wal.purge(Position { term: 1, index: index - 20 }).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// One world; returns what was seen and lost in it.
fn run(seed: u64) -> (u64, u32, SimLosses) {
    let world = madsim::runtime::Runtime::with_seed_and_config(seed, madsim::Config::default());
    world.block_on(async move {
        let disk = SimDisk::new(seed, SimLatency::default());
        Wal::create(disk.boot(), IDENTITY).await.unwrap();
        let observed = Arc::new(Mutex::new(Observed::default()));
        let handle = madsim::runtime::Handle::current();
        let (its_disk, its_observed) = (disk.clone(), observed.clone());
        let machine = handle
            .create_node()
            .name("node")
            .init(move || node(its_disk.clone(), its_observed.clone()))
            .build();
        for _ in 0..6 {
            let uptime = 100 + madsim::rand::random::<u64>() % 900;
            tokio::time::sleep(Duration::from_millis(uptime)).await;
            disk.crash();
            handle.kill(machine.id());
            tokio::time::sleep(Duration::from_millis(100)).await;
            handle.restart(machine.id());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let observed = observed.lock();
        (observed.durable, observed.opened, disk.losses())
    })
}

#[test]
fn a_node_that_loses_its_power_comes_back_with_what_was_durable() {
    let mut lost = false;
    for seed in 0..60 {
        // Each world on a thread of its own, as the simulator wants it.
        let first = std::thread::spawn(move || run(seed)).join().unwrap();
        let again = std::thread::spawn(move || run(seed)).join().unwrap();
        assert_eq!(first, again, "seed {seed} gave two worlds");
        assert!(first.0 > 50 && first.1 >= 3, "seed {seed}: {first:?}");
        lost |= first.2.any();
    }
    assert!(lost, "no power cut took anything");
}
