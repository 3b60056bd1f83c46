//! A full disk ends nothing: the log waits, loses nothing that it acknowledged, and goes on.

use std::time::Duration;

use super::*;
use crate::disk::sim::SimOperation;

/// With a reserve for about five entries.
const RESERVED: WalConfig = WalConfig { reserve_bytes: 700, ..SMALL };

fn used(disk: &SimDisk) -> u64 {
    disk.files().iter().map(|(_, length)| length).sum()
}

/// Starts an append, and tells whether it is durable yet.
async fn append(wal: &Wal, new: Vec<LogEntry>) -> oneshot::Receiver<Result<(), WalError>> {
    let (tx, rx) = oneshot::channel();
    let done = Box::new(move |outcome| tx.send(outcome).unwrap());
    wal.append(new, done).await.unwrap();
    rx
}

async fn wait_for(what: &str, mut seen: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if seen() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not in time: {what}");
}

#[tokio::test]
async fn a_write_that_finds_no_room_waits_for_it() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    append_durably(&wal, entries(1, 0..10)).await.unwrap();
    assert_eq!(wal.space(), Space::Ample);
    disk.set_capacity(used(&disk) + 70);
    let mut waiting = append(&wal, entries(1, 10..12)).await;
    wait_for("full", || matches!(wal.space(), Space::Full(_))).await;
    let why = wal.space().trouble().unwrap().to_owned();
    assert!(why.contains("full") && why.contains(".wal"), "{why}");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(waiting.try_recv().is_err(), "nothing is acknowledged that is not durable");
    assert_eq!(wal.progress().requested, wal.progress().settled + 1);
    disk.set_capacity(u64::MAX);
    waiting.await.unwrap().unwrap();
    assert_eq!(wal.space(), Space::Ample);
    append_durably(&wal, entries(1, 12..13)).await.unwrap();
    disk.crash();
    assert_eq!(all(&open(&disk).await.unwrap()).await, entries(1, 0..13));
}

#[tokio::test]
async fn a_power_cut_while_the_disk_is_full_takes_only_what_waits() {
    for seed in 0..100 {
        let disk = created(seed).await;
        let wal = open(&disk).await.unwrap();
        append_durably(&wal, entries(1, 0..10)).await.unwrap();
        disk.set_capacity(used(&disk) + seed * 3);
        let waiting = append(&wal, entries(1, 10..14)).await;
        wait_for("full", || matches!(wal.space(), Space::Full(_))).await;
        disk.crash();
        drop(waiting);
        let wal = open(&disk).await.unwrap();
        let found = all(&wal).await;
        assert!(found.len() >= 10, "seed {seed}");
        assert_eq!(found, entries(1, 0..found.len() as u64), "seed {seed}");
    }
}

#[tokio::test]
async fn the_reserve_lets_votes_and_purges_through() {
    let disk = created(1).await;
    let wal = Wal::open(disk.boot(), IDENTITY, RESERVED).await.unwrap();
    for index in 0..40 {
        append_durably(&wal, entries(1, index..index + 1)).await.unwrap();
    }
    let segments = disk.files().len();
    assert!(segments > 3);
    disk.set_capacity(used(&disk));
    let vote = VoteMark { term: 3, node: 2, committed: false };
    wal.save_vote(vote).await.unwrap();
    assert!(matches!(wal.space(), Space::Low(_)), "{:?}", wal.space());
    assert!(!disk.files().iter().any(|(name, _)| name == "reserve"), "it was given up");
    wal.purge(Position { term: 1, index: 35 }).await.unwrap();
    wal.flush().await.unwrap();
    wait_for("room again", || wal.space() == Space::Ample).await;
    assert!(disk.files().len() < segments, "segments went");
    assert!(disk.files().iter().any(|(name, _)| name == "reserve"), "and it is back");
    disk.crash();
    let wal = Wal::open(disk.boot(), IDENTITY, RESERVED).await.unwrap();
    assert_eq!((wal.state().vote, all(&wal).await), (Some(vote), entries(1, 36..40)));
}

#[tokio::test]
async fn a_new_segment_may_find_no_room_at_any_step() {
    for room in (0..200).step_by(25) {
        let disk = created(room).await;
        let wal = open(&disk).await.unwrap();
        let mut index = 0;
        while disk.files()[0].1 < SMALL.segment_bytes {
            append_durably(&wal, entries(1, index..index + 1)).await.unwrap();
            index += 1;
        }
        disk.set_capacity(used(&disk) + room);
        let waiting = append(&wal, entries(1, index..index + 1)).await;
        wait_for("full", || matches!(wal.space(), Space::Full(_))).await;
        disk.set_capacity(u64::MAX);
        waiting.await.unwrap().unwrap();
        disk.crash();
        assert_eq!(all(&open(&disk).await.unwrap()).await, entries(1, 0..index + 1));
    }
}

#[tokio::test]
async fn a_disk_low_on_space_is_noticed_before_it_is_full() {
    let disk = created(1).await;
    let config = WalConfig { low_bytes: 5000, ..RESERVED };
    let wal = Wal::open(disk.boot(), IDENTITY, config).await.unwrap();
    wal.flush().await.unwrap();
    wal.look_at_space().await.unwrap();
    assert_eq!(wal.space(), Space::Ample);
    disk.set_capacity(used(&disk) + 4000);
    wal.look_at_space().await.unwrap();
    assert!(matches!(wal.space(), Space::Low(_)));
    append_durably(&wal, entries(1, 0..1)).await.unwrap();
    disk.set_capacity(used(&disk) + 8000);
    wal.look_at_space().await.unwrap();
    assert_eq!(wal.space(), Space::Ample);
}

#[tokio::test]
async fn a_disk_that_fails_while_it_is_full_ends_the_log() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    disk.set_capacity(used(&disk));
    let waiting = append(&wal, entries(1, 0..2)).await;
    wait_for("full", || matches!(wal.space(), Space::Full(_))).await;
    disk.fail(SimOperation::Write, 0);
    assert!(matches!(waiting.await.unwrap(), Err(WalError::Io { .. })));
    assert!(matches!(wal.failed().await, WalError::Io { .. }));
}

#[tokio::test]
async fn nobody_waits_for_room_on_behalf_of_a_log_that_was_dropped() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    disk.set_capacity(used(&disk));
    let waiting = append(&wal, entries(1, 0..1)).await;
    drop(wal);
    assert!(matches!(waiting.await.unwrap(), Err(WalError::Full { .. })));
}
