//! The simulated disk keeps what was synced, and takes what was not.

use super::*;
use crate::disk::{Disk, DiskFile};
use futures::FutureExt;

/// Without latency no call of a simulated disk ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a disk without latency answers at once")
}

fn disk(seed: u64) -> SimDisk {
    SimDisk::new(seed, SimLatency::NONE)
}

fn synced_file(mount: &SimMount, name: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = now(mount.create(name)).unwrap();
    now(file.write_at(0, bytes)).unwrap();
    now(file.sync_data()).unwrap();
    now(mount.sync_dir()).unwrap();
    file
}

#[test]
fn what_was_synced_survives_every_power_cut() {
    for seed in 0..200 {
        let disk = disk(seed);
        let mount = disk.boot();
        let bytes: Vec<u8> = (0..3000u32).map(|i| i as u8).collect();
        let file = synced_file(&mount, "a", &bytes);
        now(file.write_at(3000, &[9; 2000])).unwrap();
        disk.crash();
        let contents = disk.contents("a").expect("the synced name is there");
        assert!(contents.len() >= 2560, "seed {seed}");
        assert_eq!(contents[..2560], bytes[..2560], "whole sectors, seed {seed}");
        let again = contents.clone();
        disk.crash();
        assert_eq!(disk.contents("a").unwrap(), again, "nothing was left undecided");
    }
}

#[test]
fn power_cuts_take_each_kind_of_thing() {
    let mut all = SimLosses::default();
    for seed in 0..200 {
        let disk = disk(seed);
        let mount = disk.boot();
        let file = synced_file(&mount, "old", &[1; 4096]);
        now(file.write_at(1024, &[2; 8192])).unwrap();
        let fresh = now(mount.create("fresh")).unwrap();
        now(fresh.write_at(0, &[3; 100])).unwrap();
        synced_file(&mount, "gone", b"x");
        now(mount.remove("gone")).unwrap();
        disk.crash();
        let l = disk.losses();
        all.sectors_lost += l.sectors_lost;
        all.sectors_torn += l.sectors_torn;
        all.lengths_lost += l.lengths_lost;
        all.names_returned += l.names_returned;
        now(disk.boot().create("unsynced")).unwrap();
        disk.crash();
        all.names_lost += disk.losses().names_lost;
    }
    assert!(all.sectors_lost > 0 && all.sectors_torn > 0 && all.lengths_lost > 0, "{all:?}");
    assert!(all.names_returned > 0 && all.names_lost > 0, "{all:?}");
}

#[test]
fn a_dead_boot_changes_nothing() {
    let disk = disk(1);
    let mount = disk.boot();
    let file = synced_file(&mount, "a", b"before");
    disk.stop();
    assert!(now(file.write_at(0, b"after!")).is_err());
    assert!(now(file.sync_data()).is_err());
    assert!(now(mount.remove("a")).is_err());
    assert_eq!(disk.contents("a").unwrap(), b"before");
    let next = disk.boot();
    assert!(now(file.read_at(0, 1)).is_err());
    assert_eq!(now(next.list()).unwrap(), ["a"]);
}

#[test]
fn a_failed_sync_loses_what_it_covered_even_if_a_later_one_succeeds() {
    for seed in 0..50 {
        let disk = disk(seed);
        let mount = disk.boot();
        let file = synced_file(&mount, "a", &[1; 512]);
        now(file.write_at(0, &[2; 512])).unwrap();
        disk.fail(SimOperation::Sync, 0);
        assert!(now(file.sync_data()).is_err());
        now(file.sync_data()).unwrap();
        assert_eq!(now(file.read_at(0, 512)).unwrap(), [2; 512]);
        disk.crash();
        assert_eq!(disk.contents("a").unwrap(), [1; 512]);
    }
}

#[test]
fn a_full_disk_says_so() {
    let disk = disk(1);
    let mount = disk.boot();
    let file = synced_file(&mount, "a", &[1; 100]);
    disk.set_capacity(150);
    let error = now(file.write_at(100, &[2; 100])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(now(file.length()).unwrap(), 150);
    now(file.write_at(0, &[3; 150])).unwrap();
}

#[test]
fn the_planned_power_cut_comes_in_the_middle_of_its_call() {
    let disk = disk(3);
    let mount = disk.boot();
    disk.crash_in(2);
    let file = now(mount.create("a")).unwrap();
    assert!(now(file.write_at(0, b"x")).is_err());
    assert_eq!(disk.losses().crashes, 1);
    assert!(now(mount.list()).is_err());
}

#[test]
fn equal_seeds_lose_equally() {
    let run = |seed| {
        let disk = disk(seed);
        let mount = disk.boot();
        let file = now(mount.create("a")).unwrap();
        now(file.write_at(0, &[7; 20_000])).unwrap();
        now(mount.sync_dir()).unwrap();
        disk.crash();
        (disk.contents("a"), disk.losses())
    };
    assert!((0..50).all(|seed| run(seed) == run(seed)));
}

#[test]
fn names_that_could_leave_the_directory_are_refused() {
    let mount = disk(1).boot();
    for name in ["", ".", "..", "a/b", ".hidden", "é"] {
        let error = now(mount.create(name)).err().expect("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{name}");
    }
}
