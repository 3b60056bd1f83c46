//! What a log promises, tried on real and simulated disks.

mod crashes;
mod damage;
mod failures;
mod full;
mod model;
mod ordinary;
mod torn;

use super::*;
use crate::disk::sim::{SimDisk, SimLatency};

pub(super) const IDENTITY: WalIdentity = WalIdentity { cluster: [0xab; 16], node: 7 };

/// Sizes at which a few entries fill a segment.
pub(super) const SMALL: WalConfig = WalConfig {
    segment_bytes: 2000,
    cache_bytes: 600,
    group_bytes: 1500,
    queue: 16,
    reserve_bytes: 0,
    low_bytes: 0,
};

pub(super) fn entry(term: u64, index: u64, length: usize) -> LogEntry {
    let body = (0..length).map(|i| (index as usize * 31 + i * 7 + term as usize) as u8);
    LogEntry { position: Position { term, index }, body: body.collect() }
}

pub(super) fn entries(term: u64, range: std::ops::Range<u64>) -> Vec<LogEntry> {
    range.map(|index| entry(term, index, 100)).collect()
}

pub(super) async fn append_durably(wal: &Wal, entries: Vec<LogEntry>) -> Result<(), WalError> {
    let (tx, rx) = oneshot::channel();
    let done = Box::new(move |outcome| {
        let _ = tx.send(outcome);
    });
    wal.append(entries, done).await?;
    rx.await.expect("a completion is called")
}

pub(super) async fn created(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed, SimLatency::NONE);
    Wal::create(disk.boot(), IDENTITY).await.unwrap();
    disk
}

pub(super) async fn open(disk: &SimDisk) -> Result<Wal, WalError> {
    Wal::open(disk.boot(), IDENTITY, SMALL).await
}

/// A closed log of entries 0 to 59, one group each, in several segments.
pub(super) async fn sixty_entries(seed: u64) -> SimDisk {
    let disk = created(seed).await;
    let wal = open(&disk).await.unwrap();
    wal.save_vote(VoteMark { term: 1, node: 7, committed: true }).await.unwrap();
    for index in 0..60 {
        append_durably(&wal, vec![entry(1, index, 100)]).await.unwrap();
    }
    wal.close().await.unwrap();
    disk
}

pub(super) async fn all(wal: &Wal) -> Vec<LogEntry> {
    wal.read(0, u64::MAX, usize::MAX).await.unwrap()
}
