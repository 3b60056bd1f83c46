//! The planted bug "acknowledge before sync" is one that power cuts on the simulated disk find.
//!
//! A process of its own, because bugs are planted for a whole process.
#![cfg(not(madsim))]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use holdfast_cluster::disk::sim::{SimDisk, SimLatency};
use holdfast_cluster::planted::{self, PlantedBug};
use holdfast_cluster::wal::{LogEntry, Position, Wal, WalConfig, WalIdentity};

const IDENTITY: WalIdentity = WalIdentity { cluster: [1; 16], node: 1 };

/// Whether a power cut at a random point loses an entry that was acknowledged.
async fn loses_an_acknowledged_entry(seed: u64) -> bool {
    let disk = SimDisk::new(seed, SimLatency::NONE);
    Wal::create(disk.boot(), IDENTITY).await.expect("an empty directory");
    let wal = Wal::open(disk.boot(), IDENTITY, WalConfig::default()).await.expect("a fresh log");
    disk.crash_in(1 + seed % 40);
    let acknowledged = Arc::new(AtomicU64::new(0));
    for index in 0..100 {
        let entry = LogEntry {
            position: Position { term: 1, index },
            body: Bytes::from(vec![index as u8; 700]),
        };
        let counter = acknowledged.clone();
        let done = Box::new(move |outcome: Result<(), _>| {
            if outcome.is_ok() {
                counter.fetch_max(index + 1, Ordering::Relaxed);
            }
        });
        if wal.append(vec![entry], done).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    disk.crash();
    let wal = Wal::open(disk.boot(), IDENTITY, WalConfig::default()).await.expect("it opens again");
    let found = wal.state().last.map_or(0, |last| last.index + 1);
    found < acknowledged.load(Ordering::Relaxed)
}

#[tokio::test]
async fn power_cuts_find_an_acknowledgement_before_the_sync() {
    for seed in 0..200 {
        assert!(!loses_an_acknowledged_entry(seed).await, "seed {seed}, without the bug");
    }
    planted::plant(PlantedBug::AckBeforeSync);
    let mut found = 0;
    for seed in 0..200 {
        found += u32::from(loses_an_acknowledged_entry(seed).await);
    }
    assert!(found > 20, "found in {found} of 200 runs only");
}
