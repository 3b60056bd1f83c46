//! Both stores by the same rules, and each by its own.

use std::sync::Arc;

use super::*;
use crate::disk::scratch::Scratch;
use crate::disk::sim::{SimDisk, SimLatency, SimOperation, SimRandom};
use crate::disk::{Disk, LocalDisk};

fn value(seed: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    SimRandom::new(seed).fill(&mut bytes);
    bytes.into()
}

fn put(key: &str, value: &Bytes) -> KvBatch {
    vec![(key.as_bytes().to_vec(), Some(value.clone()))]
}

async fn suite(kv: &dyn Kv) {
    assert_eq!(kv.get(b"a").await.unwrap(), None);
    let (small, empty, large) = (value(1, 10), Bytes::new(), value(2, 700_001));
    kv.write(put("a", &small)).await.unwrap();
    kv.write(put("b", &empty)).await.unwrap();
    kv.write(put("c/1", &large)).await.unwrap();
    kv.write(put("c/2", &small)).await.unwrap();
    assert_eq!(kv.get(b"a").await.unwrap(), Some(small.clone()));
    kv.flush().await.unwrap();
    assert_eq!(kv.get(b"b").await.unwrap(), Some(empty.clone()));
    assert_eq!(kv.get(b"c/1").await.unwrap(), Some(large.clone()));
    let keys = |keys: &[&str]| keys.iter().map(|k| k.as_bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!(kv.keys(b"a", b"c/2").await.unwrap(), keys(&["a", "b", "c/1"]));
    assert_eq!(kv.keys(b"z", b"a").await.unwrap(), keys(&[]));
    kv.write(vec![(b"a".to_vec(), None), (b"c/1".to_vec(), Some(small.clone()))]).await.unwrap();
    assert_eq!(kv.keys(b"a", b"d").await.unwrap(), keys(&["b", "c/1", "c/2"]));
    let found = kv.range(b"c", b"d").await.unwrap();
    assert_eq!(found, [(b"c/1".to_vec(), small.clone()), (b"c/2".to_vec(), small.clone())]);
    kv.flush().await.unwrap();
    assert_eq!(kv.get(b"a").await.unwrap(), None);
    let long = vec![(vec![b'k'; MAX_KEY + 1], Some(small))];
    assert_eq!(kv.write(long).await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_simulators_store_keeps_the_rules() {
    let disk = SimDisk::new(1, SimLatency::NONE);
    suite(&DiskStore::open(disk.boot()).await.unwrap()).await;
}

#[tokio::test]
async fn the_simulators_store_serves_a_real_directory_too() {
    let scratch = Scratch::new();
    let disk = Arc::new(LocalDisk::open(scratch.path()).unwrap());
    suite(&DiskStore::open(disk).await.unwrap()).await;
}

#[tokio::test]
async fn sled_keeps_the_rules_and_reopens() {
    let scratch = Scratch::new();
    let path = scratch.path().join("kv");
    let large = value(9, 1_000_003);
    {
        let kv = SledStore::open(&path).await.unwrap();
        suite(&kv).await;
        kv.write(put("large", &large)).await.unwrap();
        kv.flush().await.unwrap();
    }
    let kv = SledStore::open(&path).await.unwrap();
    assert_eq!(kv.get(b"large").await.unwrap(), Some(large));
    assert_eq!(kv.get(b"c/2").await.unwrap(), Some(value(1, 10)));
    kv.write(vec![(b"large".to_vec(), None)]).await.unwrap();
    assert_eq!(kv.get(b"large").await.unwrap(), None);
    let blobs = std::fs::read_dir(path.join("blobs")).unwrap().count();
    assert_eq!(blobs, 0, "no value went to a file that sled does not sync");
}

#[tokio::test]
async fn a_power_cut_leaves_each_key_old_or_new() {
    for seed in 0..300u64 {
        let mut random = SimRandom::new(seed);
        let disk = SimDisk::new(seed, SimLatency::NONE);
        let kv = DiskStore::open(disk.boot()).await.unwrap();
        let old = value(seed, 2000);
        for key in ["a", "b", "c"] {
            kv.write(put(key, &old)).await.unwrap();
        }
        kv.flush().await.unwrap();
        let new = value(seed + 1, 3000);
        kv.write(put("a", &new)).await.unwrap();
        kv.write(vec![(b"b".to_vec(), None)]).await.unwrap();
        kv.write(put("d", &new)).await.unwrap();
        disk.crash_in(1 + random.below(14));
        let flushed = kv.flush().await.is_ok();
        disk.crash();
        let kv = DiskStore::open(disk.boot()).await.unwrap();
        let mut found = Vec::new();
        for key in ["a", "b", "c", "d"] {
            found.push(kv.get(key.as_bytes()).await.unwrap());
        }
        let kept = [Some(new.clone()), None, Some(old.clone()), Some(new.clone())];
        let before = [Some(old.clone()), Some(old.clone()), Some(old.clone()), None];
        for (at, value) in found.iter().enumerate() {
            let legal = *value == kept[at] || (!flushed && *value == before[at]);
            assert!(legal, "seed {seed}, key {at}, flushed {flushed}");
        }
    }
}

#[tokio::test]
async fn a_failed_flush_is_final() {
    let disk = SimDisk::new(1, SimLatency::NONE);
    let kv = DiskStore::open(disk.boot()).await.unwrap();
    kv.write(put("a", &value(1, 10))).await.unwrap();
    disk.fail(SimOperation::Sync, 0);
    assert!(kv.flush().await.is_err());
    assert!(kv.flush().await.is_err());
    assert!(kv.get(b"a").await.is_err());
    assert!(kv.write(put("b", &value(1, 10))).await.is_err());
}

#[tokio::test]
async fn damage_is_noticed() {
    let disk = SimDisk::new(1, SimLatency::NONE);
    let kv = DiskStore::open(disk.boot()).await.unwrap();
    kv.write(put("a", &value(1, 1000))).await.unwrap();
    kv.flush().await.unwrap();
    let (name, length) = disk.files()[0].clone();
    for offset in [0, 500, length - 1] {
        disk.decay(&name, offset, 1);
        assert_eq!(kv.get(b"a").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        disk.decay(&name, offset, 1);
    }
    disk.boot().create("something").await.unwrap();
    assert!(DiskStore::open(disk.boot()).await.is_err());
}
