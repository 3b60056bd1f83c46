//! A write or sync that failed is final.

use super::*;
use crate::disk::sim::SimOperation;

#[tokio::test]
async fn a_failed_sync_ends_the_log() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    append_durably(&wal, entries(1, 0..2)).await.unwrap();
    disk.fail(SimOperation::Sync, 0);
    let failed = append_durably(&wal, entries(1, 2..3)).await;
    assert!(matches!(failed, Err(WalError::Io { .. })), "{failed:?}");
    assert!(matches!(wal.failed().await, WalError::Io { .. }), "whoever runs the node is told");
    let after = wal.append(entries(1, 3..4), operation::nobody()).await;
    assert!(matches!(after, Err(WalError::Io { .. })), "{after:?}");
    assert!(wal.save_vote(VoteMark { term: 9, node: 1, committed: false }).await.is_err());
    assert!(wal.close().await.is_err());
    disk.crash();
    let wal = open(&disk).await.unwrap();
    assert_eq!(all(&wal).await, entries(1, 0..2));
}

#[tokio::test]
async fn everyone_who_waits_for_a_failed_group_is_told() {
    let disk = created(1).await;
    let wal = open(&disk).await.unwrap();
    disk.fail(SimOperation::Write, 0);
    let mut waiting = Vec::new();
    for index in 0..5 {
        let (tx, rx) = oneshot::channel();
        let done = Box::new(move |outcome: Result<(), WalError>| tx.send(outcome).unwrap());
        wal.append(entries(1, index..index + 1), done).await.unwrap();
        waiting.push(rx);
    }
    for rx in waiting {
        assert!(rx.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn what_a_failed_sync_left_in_memory_is_not_taken_for_durable() {
    for seed in 0..50 {
        let disk = created(seed).await;
        let wal = open(&disk).await.unwrap();
        append_durably(&wal, entries(1, 0..3)).await.unwrap();
        disk.fail(SimOperation::Sync, 0);
        append_durably(&wal, entries(1, 3..9)).await.unwrap_err();
        // The process ends, the machine does not: the kernel has the pages, and takes them for clean.
        disk.stop();
        let wal = open(&disk).await.unwrap();
        assert_eq!(all(&wal).await, entries(1, 0..9), "it reads well");
        append_durably(&wal, entries(2, 9..10)).await.unwrap();
        disk.crash();
        let wal = open(&disk).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(all(&wal).await.len(), 10, "seed {seed}: what was relied on is durable");
    }
}

#[tokio::test]
async fn failures_while_rolling_or_removing_are_final_too() {
    for operation in [SimOperation::Name, SimOperation::SyncDir] {
        for skip in 0..3 {
            let disk = created(1).await;
            let wal = open(&disk).await.unwrap();
            disk.fail(operation, skip);
            let mut index = 0;
            while append_durably(&wal, vec![entry(1, index, 100)]).await.is_ok() {
                index += 1;
                if index % 10 == 0
                    && wal.purge(Position { term: 1, index: index - 5 }).await.is_err()
                {
                    break;
                }
                assert!(index < 1000, "{operation:?} was never needed");
            }
            assert!(matches!(wal.failed().await, WalError::Io { .. }));
            disk.crash();
            let wal = open(&disk).await.unwrap();
            let last = wal.state().last.map_or(0, |last| last.index + 1);
            assert!(last >= index, "{operation:?}: {last} of {index}");
        }
    }
}

#[tokio::test]
async fn an_unreadable_segment_is_reported() {
    let disk = sixty_entries(1).await;
    let wal = open(&disk).await.unwrap();
    disk.fail(SimOperation::Read, 0);
    assert!(matches!(wal.read(0, 60, usize::MAX).await, Err(WalError::Io { .. })));
    assert_eq!(all(&wal).await, entries(1, 0..60), "reading again may succeed");
    disk.fail(SimOperation::Read, 3);
    assert!(matches!(open(&disk).await, Err(WalError::Io { .. })));
}
