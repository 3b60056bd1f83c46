//! Without faults: what is written is there, now and after opening again.

use std::sync::Arc;

use super::*;
use crate::disk::LocalDisk;
use crate::disk::scratch::Scratch;

#[tokio::test]
async fn appended_entries_are_readable_at_once_and_after_opening_again() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    assert_eq!(wal.state(), WalState::default());
    wal.append(entries(1, 0..5), operation::nobody()).await.unwrap();
    assert_eq!(all(&wal).await, entries(1, 0..5), "before any sync");
    wal.truncate_from(3).await.unwrap();
    append_durably(&wal, entries(2, 3..6)).await.unwrap();
    wal.note_committed(Position { term: 2, index: 4 });
    wal.save_vote(VoteMark { term: 2, node: 1, committed: false }).await.unwrap();
    let before = (wal.state(), all(&wal).await);
    wal.close().await.unwrap();
    assert!(matches!(wal.flush().await, Err(WalError::Closed)));
    let wal = open(&disk).await.unwrap();
    assert_eq!((wal.state(), all(&wal).await), before);
    assert_eq!(before.0.committed, Some(Position { term: 2, index: 4 }));
    assert_eq!(wal.position_at(3), Some(Position { term: 2, index: 3 }));
    assert_eq!(wal.position_at(6), None);
}

#[tokio::test]
async fn bodies_beyond_the_cache_are_read_back() {
    let disk = sixty_entries(1).await;
    let wal = open(&disk).await.unwrap();
    assert!(wal.shared.index.lock().cached() <= SMALL.cache_bytes);
    assert_eq!(all(&wal).await, entries(1, 0..60));
    assert_eq!(wal.read(10, 20, 250).await.unwrap(), entries(1, 10..12));
    append_durably(&wal, entries(1, 60..90)).await.unwrap();
    assert!(wal.shared.index.lock().cached() <= SMALL.cache_bytes);
    assert_eq!(all(&wal).await, entries(1, 0..90));
}

#[tokio::test]
async fn purging_bounds_the_log() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    wal.save_vote(VoteMark { term: 1, node: 7, committed: true }).await.unwrap();
    for round in 0..20u64 {
        append_durably(&wal, entries(1, round * 20..round * 20 + 20)).await.unwrap();
        wal.note_committed(Position { term: 1, index: round * 20 + 19 });
        wal.purge(Position { term: 1, index: round * 20 + 14 }).await.unwrap();
        wal.flush().await.unwrap();
    }
    wal.close().await.unwrap();
    let size: u64 = disk.files().iter().map(|(_, length)| length).sum();
    assert!(size < 10_000, "{size} bytes are kept");
    let wal = open(&disk).await.unwrap();
    assert_eq!(all(&wal).await, entries(1, 395..400));
    assert_eq!(wal.state().vote, Some(VoteMark { term: 1, node: 7, committed: true }));
    assert_eq!(wal.state().committed, Some(Position { term: 1, index: 399 }));
}

#[tokio::test]
async fn a_purge_beyond_the_last_entry_moves_the_log_there() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    append_durably(&wal, entries(1, 0..10)).await.unwrap();
    let snapshot = Position { term: 4, index: 500 };
    wal.purge(snapshot).await.unwrap();
    assert_eq!(wal.state().last, Some(snapshot));
    let hole = wal.append(entries(4, 500..501), operation::nobody()).await;
    assert!(matches!(hole, Err(WalError::Hole { expected: 501, found: 500 })));
    append_durably(&wal, entries(4, 501..503)).await.unwrap();
    wal.close().await.unwrap();
    let wal = open(&disk).await.unwrap();
    assert_eq!(all(&wal).await, entries(4, 501..503));
    assert_eq!(wal.state().purged, Some(snapshot));
}

#[tokio::test]
async fn a_commit_mark_costs_no_sync() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    append_durably(&wal, entries(1, 0..3)).await.unwrap();
    let before = disk.operations();
    wal.note_committed(Position { term: 1, index: 2 });
    tokio::task::yield_now().await;
    assert_eq!(disk.operations(), before);
    append_durably(&wal, entries(1, 3..4)).await.unwrap();
    disk.crash();
    let wal = open(&disk).await.unwrap();
    assert_eq!(wal.state().committed, Some(Position { term: 1, index: 2 }));
}

#[tokio::test]
async fn one_sync_serves_all_that_wait() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    let before = disk.operations();
    for index in 0..10 {
        wal.append(vec![entry(1, index, 20)], operation::nobody()).await.unwrap();
    }
    wal.flush().await.unwrap();
    assert_eq!(disk.operations() - before, 2, "one write and one sync");
}

#[tokio::test]
async fn only_an_explicit_create_begins_a_log_and_only_in_an_empty_directory() {
    let disk = SimDisk::new(1, SimLatency::NONE);
    assert!(matches!(open(&disk).await, Err(WalError::NotCreated)));
    Wal::create(disk.boot(), IDENTITY).await.unwrap();
    let again = Wal::create(disk.boot(), IDENTITY).await;
    assert!(matches!(again, Err(WalError::NotEmpty { .. })));
    for other in
        [WalIdentity { node: 8, ..IDENTITY }, WalIdentity { cluster: [0xac; 16], ..IDENTITY }]
    {
        let foreign = Wal::open(disk.boot(), other, SMALL).await.err();
        assert!(matches!(foreign, Some(WalError::Foreign { found: IDENTITY, .. })), "{foreign:?}");
    }
    disk.boot().create("notes.txt").await.unwrap();
    assert!(matches!(open(&disk).await, Err(WalError::UnknownFile { .. })));
}

#[tokio::test]
async fn an_entry_that_is_too_large_is_refused() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    let body = Bytes::from(vec![0; MAX_BODY + 1]);
    let large = LogEntry { position: Position { term: 1, index: 0 }, body };
    let refused = wal.append(vec![large], operation::nobody()).await;
    assert!(matches!(refused, Err(WalError::TooLarge { .. })));
    append_durably(&wal, entries(1, 0..1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_directory_serves_as_well() {
    let scratch = Scratch::new();
    let disk = || Arc::new(LocalDisk::open(scratch.path()).unwrap());
    Wal::create(disk(), IDENTITY).await.unwrap();
    let config = WalConfig { segment_bytes: 20_000, cache_bytes: 5_000, ..WalConfig::default() };
    for round in 0..3u64 {
        let wal = Wal::open(disk(), IDENTITY, config).await.unwrap();
        let mut waiting = Vec::new();
        for index in round * 300..(round + 1) * 300 {
            let (tx, rx) = oneshot::channel();
            let done = Box::new(move |outcome: Result<(), WalError>| tx.send(outcome).unwrap());
            wal.append(vec![entry(1, index, 100)], done).await.unwrap();
            waiting.push(rx);
        }
        for rx in waiting {
            rx.await.unwrap().unwrap();
        }
        assert_eq!(all(&wal).await, entries(1, 0..(round + 1) * 300));
        if round < 2 {
            wal.close().await.unwrap();
        } else {
            wal.purge(Position { term: 1, index: 899 }).await.unwrap();
            wal.close().await.unwrap();
        }
    }
    let wal = Wal::open(disk(), IDENTITY, config).await.unwrap();
    assert_eq!(wal.state().last, Some(Position { term: 1, index: 899 }));
    drop(wal);
}
