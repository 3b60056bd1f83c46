//! Torn tail or damage: every way in which the last write can be torn is cut and nothing else lost;
//! every damage before it is refused.

use super::*;
use crate::disk::Disk;
use crate::disk::sim::{SECTOR, SimRandom};

/// Three entries that were reported as durable, each a group, and one group of five behind them.
struct Scene {
    disk: SimDisk,
    name: String,
    /// The segment's bytes with and without the last group.
    whole: Vec<u8>,
    durable: usize,
}

const LARGE: WalConfig = WalConfig { segment_bytes: 1 << 20, group_bytes: 1 << 20, ..SMALL };
const LAST_GROUP: std::ops::Range<u64> = 3..8;

fn last_group() -> Vec<LogEntry> {
    LAST_GROUP.map(|index| entry(1, index, 300 + index as usize * 70)).collect()
}

async fn open_large(disk: &SimDisk) -> Result<Wal, WalError> {
    Wal::open(disk.boot(), IDENTITY, LARGE).await
}

async fn scene() -> Scene {
    let disk = created(3).await;
    let wal = open_large(&disk).await.unwrap();
    for index in 0..3 {
        append_durably(&wal, entries(1, index..index + 1)).await.unwrap();
    }
    let (name, durable) = disk.files()[0].clone();
    append_durably(&wal, last_group()).await.unwrap();
    drop(wal);
    let whole = disk.contents(&name).unwrap();
    Scene { disk, name, whole, durable: durable as usize }
}

impl Scene {
    /// Gives the segment other bytes, durably.
    async fn set(&self, bytes: &[u8]) {
        let file = self.disk.boot().open(&self.name).await.unwrap();
        file.set_len(bytes.len() as u64).await.unwrap();
        file.write_at(0, bytes).await.unwrap();
        file.sync_data().await.unwrap();
    }

    /// Opens the log, which must hold what was durable and some first part of the last group; goes
    /// on writing, and opens it once more after a power cut.
    async fn check(&self, what: &str) -> usize {
        let wal = open_large(&self.disk).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = all(&wal).await;
        let mut expected = entries(1, 0..3);
        expected.extend(last_group());
        assert!(found.len() >= 3, "{what}: {} entries are left", found.len());
        assert_eq!(found, expected[..found.len()], "{what}");
        let next = found.len() as u64;
        append_durably(&wal, vec![entry(2, next, 40)]).await.unwrap();
        self.disk.crash();
        let wal = open_large(&self.disk).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(all(&wal).await.len() as u64, next + 1, "{what}");
        found.len()
    }
}

#[tokio::test]
async fn every_choice_of_lost_sectors_in_the_last_write_is_a_torn_tail() {
    let scene = scene().await;
    let (first, last) = (scene.durable / SECTOR, (scene.whole.len() - 1) / SECTOR);
    let sectors = last - first + 1;
    assert!((5..12).contains(&sectors), "{sectors} sectors");
    let mut random = SimRandom::new(1);
    let mut lengths = std::collections::BTreeSet::new();
    for kept in 0..1u32 << sectors {
        let mut bytes = scene.whole.clone();
        for sector in (0..sectors).filter(|sector| kept & (1 << sector) == 0) {
            let from = ((first + sector) * SECTOR).max(scene.durable);
            let to = ((first + sector + 1) * SECTOR).min(bytes.len());
            match kept % 3 {
                0 => bytes[from..to].fill(0),
                _ => random.fill(&mut bytes[from..to]),
            }
        }
        scene.set(&bytes).await;
        lengths.insert(scene.check(&format!("sectors {kept:b} kept")).await);
    }
    assert!(lengths.len() > 3, "{lengths:?}");
}

#[tokio::test]
async fn a_tear_at_any_byte_of_the_last_write_is_a_torn_tail() {
    let scene = scene().await;
    for at in (scene.durable..scene.whole.len()).step_by(3) {
        // The first part arrived, or the second, or the file is shorter.
        let mut front = scene.whole.clone();
        front[at..].fill(0);
        scene.set(&front).await;
        scene.check(&format!("nothing from {at} on")).await;
        let mut back = scene.whole.clone();
        back[scene.durable..at].fill(0);
        scene.set(&back).await;
        scene.check(&format!("nothing before {at}")).await;
        scene.set(&scene.whole[..at]).await;
        scene.check(&format!("cut at {at}")).await;
    }
}

#[tokio::test]
async fn every_damaged_byte_before_the_last_write_is_refused_with_its_place() {
    let scene = scene().await;
    for at in 0..scene.durable {
        // The body's padding alone is not covered by a checksum, and says nothing.
        let mut bytes = scene.whole.clone();
        bytes[at] ^= 0x10;
        scene.set(&bytes).await;
        match open_large(&scene.disk).await {
            Err(error @ WalError::Corrupt { .. }) => {
                let text = error.to_string();
                assert!(text.contains(&scene.name) && text.contains("replace the node"), "{text}");
                let WalError::Corrupt { offset, .. } = error else { unreachable!() };
                assert!(offset as usize <= at, "damage at {at} is said to be at {offset}");
            }
            Err(error) => panic!("byte {at}: {error}"),
            Ok(wal) => {
                assert_eq!(all(&wal).await.len(), 8, "byte {at} is padding");
                assert!(scene.whole[at] == 0, "byte {at}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_cut_does_not_come_back_behind_a_later_write() {
    let scene = scene().await;
    // The last group's first record is lost, the others arrived.
    let mut bytes = scene.whole.clone();
    bytes[scene.durable..scene.durable + 32].fill(0);
    scene.set(&bytes).await;
    let wal = open_large(&scene.disk).await.unwrap();
    assert_eq!(all(&wal).await, entries(1, 0..3));
    // Exactly as long as the record that was lost: what followed it would follow this one.
    let same_length =
        LogEntry { position: Position { term: 2, index: 3 }, ..last_group()[0].clone() };
    append_durably(&wal, vec![same_length.clone()]).await.unwrap();
    drop(wal);
    // The file grew by blocks that it had before, and the power is cut before they are written.
    let after = scene.disk.contents(&scene.name).unwrap();
    let returned = scene.disk.cut_off(&scene.name).unwrap();
    assert!(returned.len() > after.len());
    scene.set(&[&after[..], &returned[after.len()..]].concat()).await;
    let wal = open_large(&scene.disk).await.unwrap();
    assert_eq!(all(&wal).await, [entries(1, 0..3), vec![same_length]].concat());
}
