//! Damage to what was durable is reported with its place, and never cut away.

use super::*;
use crate::disk::Disk;
use crate::disk::sim::SimRandom;

/// What opening may say after damage: an error, or all but what the last write brought.
async fn check_opening(disk: &SimDisk, what: &str) -> bool {
    match open(disk).await {
        Err(WalError::Corrupt { file, .. }) => {
            assert!(file.ends_with(".wal"), "{what}");
            true
        }
        Err(other) => panic!("{what}: {other}"),
        Ok(wal) => {
            let found = all(&wal).await;
            let expected = entries(1, 0..found.len() as u64);
            assert_eq!(found, expected, "{what}");
            assert!(found.len() >= 59, "{what}: only {} entries are left", found.len());
            false
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_is_corruption_unless_only_the_last_write_could_have_it() {
    let mut corrupt = 0;
    let mut random = SimRandom::new(1);
    for round in 0..300u64 {
        let disk = sixty_entries(round).await;
        let files = disk.files();
        let (name, length) = &files[random.below(files.len() as u64) as usize];
        let offset = random.below(*length);
        disk.decay(name, offset, 1 << random.below(8));
        corrupt += u32::from(check_opening(&disk, &format!("{name} at {offset}")).await);
    }
    assert!(corrupt > 200, "{corrupt} of 300");
}

#[tokio::test]
async fn a_refused_log_is_left_as_it_was() {
    let disk = sixty_entries(5).await;
    let (name, _) = disk.files()[1].clone();
    disk.decay(&name, 200, 4);
    let before: Vec<_> = disk.files().iter().map(|(n, _)| disk.contents(n)).collect();
    let error = open(&disk).await.err().expect("refused");
    assert!(error.to_string().contains(&name), "{error}");
    let after: Vec<_> = disk.files().iter().map(|(n, _)| disk.contents(n)).collect();
    assert!(before == after);
    disk.decay(&name, 200, 4);
    assert_eq!(all(&open(&disk).await.unwrap()).await, entries(1, 0..60));
}

#[tokio::test]
async fn a_bad_record_with_later_writes_behind_it_is_never_cut() {
    let disk = sixty_entries(5).await;
    let (name, length) = disk.files().last().unwrap().clone();
    assert!(length > 600, "the last segment holds several groups");
    // The third last record.
    assert!(disk.decay(&name, length - 3 * 136 + 40, 1));
    let error = open(&disk).await.err();
    assert!(matches!(&error, Some(WalError::Corrupt { file, .. }) if *file == name), "{error:?}");
}

#[tokio::test]
async fn a_tail_cut_anywhere_loses_the_last_write_only() {
    for cut in 1..136u64 {
        let disk = sixty_entries(5).await;
        let (name, length) = disk.files().last().unwrap().clone();
        let mount = disk.boot();
        mount.open(&name).await.unwrap().set_len(length - cut).await.unwrap();
        let wal = open(&disk).await.unwrap();
        assert_eq!(all(&wal).await, entries(1, 0..59), "cut {cut}");
        append_durably(&wal, entries(2, 59..62)).await.unwrap();
        wal.close().await.unwrap();
        assert_eq!(all(&open(&disk).await.unwrap()).await.len(), 62);
    }
}

#[tokio::test]
async fn missing_segments_are_noticed() {
    let names: Vec<String> =
        sixty_entries(5).await.files().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() > 3);
    for missing in &names[..names.len() - 1] {
        let disk = sixty_entries(5).await;
        disk.boot().remove(missing).await.unwrap();
        let error = open(&disk).await.err();
        assert!(matches!(&error, Some(WalError::Corrupt { .. })), "{missing}: {error:?}");
    }
    // All but a last one that holds no entry yet.
    let disk = created(5).await;
    let wal = open(&disk).await.unwrap();
    append_durably(&wal, entries(1, 0..20)).await.unwrap();
    wal.save_vote(VoteMark { term: 2, node: 1, committed: false }).await.unwrap();
    wal.close().await.unwrap();
    let files = disk.files();
    assert_eq!(files.len(), 2, "the vote went to a new segment");
    disk.boot().remove(&files[0].0).await.unwrap();
    assert!(matches!(open(&disk).await, Err(WalError::Corrupt { .. })));
}

#[tokio::test]
async fn a_segment_of_another_node_is_foreign_wherever_it_is() {
    let disk = sixty_entries(5).await;
    let theirs = SimDisk::new(9, SimLatency::NONE);
    let identity = WalIdentity { node: 8, ..IDENTITY };
    Wal::create(theirs.boot(), identity).await.unwrap();
    let bytes = theirs.contents("0000000000000001.wal").unwrap();
    let mount = disk.boot();
    mount.remove("0000000000000001.wal").await.unwrap();
    let file = mount.create("0000000000000001.wal").await.unwrap();
    file.write_at(0, &bytes).await.unwrap();
    assert!(matches!(open(&disk).await, Err(WalError::Foreign { .. })));
}
