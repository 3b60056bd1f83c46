//! Nodes in the simulator whose log is in trouble: a disk that stalls, fails or is full, a folder that
//! was lost, a log that grows.
//!
//! `RUSTFLAGS="--cfg madsim" cargo test --target x86_64-unknown-linux-gnu -p holdfast-cluster
//! --test troubled_logs`; `SEED` and `SEEDS` choose other runs.
#![cfg(madsim)]

#[path = "../support/mod.rs"]
mod support;
mod world;

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::Command;
use holdfast_cluster::disk::sim::SimOperation;
use holdfast_cluster::handle::{Cluster, SubmitError};
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::raft::Snapshots;
use tokio::time::{Instant, sleep};
use world::{Disks, World, run};

async fn a_stalled_leader(seed: u64) {
    let world = World::new(seed, Snapshots::default()).await;
    let leader = world.leader(0).await.expect("a leader");
    let other = leader % 3 + 1;
    world.put(other, "before").await.expect("it works");
    world.machine(leader).disks().log.stall(true);
    let begun = Instant::now();
    // This one the old leader may still have taken, and it is answered all the same.
    world.put(other, "during").await.expect("another node leads");
    world
        .wait("another leader", Duration::from_secs(2), async || {
            world.leader(leader).await.is_some_and(|now| now != leader)
        })
        .await;
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(1500), "seed {seed}: {took:?}");
    for number in 0..20 {
        let took = world.put(other, &format!("after{number}")).await.expect("it works");
        assert!(took < Duration::from_millis(200), "seed {seed}: {took:?} with a follower stalled");
    }
    world.machine(leader).disks().log.stall(false);
    world.agree(&["before", "during", "after19"].map(str::to_owned)).await;
    assert_eq!(world.machine(leader).up().log_trouble(), None);
    println!("seed {seed}: another leader after {} ms", took.as_millis());
}

#[test]
fn a_leader_whose_disk_stalls_gives_up_leadership() {
    run(a_stalled_leader);
}

async fn a_failed_sync(seed: u64) {
    let world = World::new(seed, Snapshots::default()).await;
    let leader = world.leader(0).await.expect("a leader");
    let other = leader % 3 + 1;
    world.put(other, "before").await.expect("it works");
    let machine = world.machine(leader);
    machine.disks().log.fail(SimOperation::Sync, 0);
    world.put(other, "during").await.expect("another node leads");
    let ended = machine.ended.lock().clone().expect("the node has ended");
    assert!(ended.contains("the log failed: syncing") && ended.contains("EIO"), "{ended}");
    // Some supervisors start it again on the running machine, some after a power cut.
    world.stop(leader, seed % 2 == 0);
    world.start(leader);
    world.agree(&["before", "during"].map(str::to_owned)).await;
}

#[test]
fn a_failed_sync_ends_the_node_and_nothing_else() {
    run(a_failed_sync);
}

async fn a_full_leader(seed: u64) {
    let world = World::new(seed, Snapshots::default()).await;
    let leader = world.leader(0).await.expect("a leader");
    let other = leader % 3 + 1;
    let log = world.machine(leader).disks().log.clone();
    log.set_capacity(log.files().iter().map(|(_, length)| length).sum());
    world
        .wait("another leader", Duration::from_secs(5), async || {
            world.leader(leader).await.is_some_and(|now| now != leader)
        })
        .await;
    let trouble = world.machine(leader).up().log_trouble().expect("the node says why");
    assert!(trouble.contains("room") || trouble.contains("free"), "{trouble}");
    // Until nothing fits any more, and on.
    for number in 0..300 {
        world.put(other, &format!("share{}", number % 100)).await.expect("a quorum has room");
    }
    assert!(world.machine(leader).ended.lock().is_none(), "a full disk ends nobody");
    log.set_capacity(u64::MAX);
    let names: Vec<String> = (0..100).map(|number| format!("share{number}")).collect();
    world.agree(&names).await;
    world
        .wait("no trouble", Duration::from_secs(5), async || {
            world.machine(leader).up().log_trouble().is_none()
        })
        .await;
}

#[test]
fn a_leader_whose_disk_is_full_lets_another_lead_and_comes_back() {
    run(a_full_leader);
}

async fn full_everywhere(seed: u64) {
    let world = World::new(seed, Snapshots::default()).await;
    world.put(1, "before").await.expect("it works");
    for (machine, _) in world.machines.values() {
        let log = machine.disks().log.clone();
        log.set_capacity(log.files().iter().map(|(_, length)| length).sum());
    }
    sleep(Duration::from_secs(2)).await;
    let refused = world.put(2, "refused").await;
    assert_eq!(refused, Err(SubmitError::Unknown), "new state is refused");
    // What only ends something goes through, with what was set aside for it.
    let ends = Command::RemoveShare { name: "before".to_owned() };
    assert_eq!(world.machine(3).up().submit(ends).await, Ok(Outcome::Done));
    for (machine, _) in world.machines.values() {
        assert!(machine.up().node_lease().is_connected(), "the nodes go on serving what is open");
        assert!(machine.up().log_trouble().is_some());
    }
    for (machine, _) in world.machines.values() {
        machine.disks().log.set_capacity(u64::MAX);
    }
    sleep(Duration::from_secs(2)).await;
    world.put(2, "after").await.expect("they go on by themselves");
    world.agree(&["after".to_owned()]).await;
    assert!(world.machine(1).up().state().share_by_name("before").is_none());
}

#[test]
fn full_disks_everywhere_refuse_new_state_and_recover() {
    run(full_everywhere);
}

async fn a_wiped_node(seed: u64) {
    let world = World::new(seed, Snapshots::default()).await;
    world.put(1, "before").await.expect("it works");
    let (wiped, away, left) = (1 + seed % 3, 1 + (seed + 1) % 3, 1 + (seed + 2) % 3);
    // With a majority that remembers it.
    world.stop(wiped, false);
    let machine = world.machine(wiped);
    *machine.disks.lock() = Arc::new(Disks::new(seed + 7));
    world.start(wiped);
    world
        .wait("it is turned away", Duration::from_secs(20), async || machine.ended.lock().is_some())
        .await;
    let why = machine.ended.lock().clone().expect("why");
    assert!(why.contains("turned away: true") && why.contains("new id"), "{why}");
    world.put(left, "during").await.expect("the others go on");
    // With one other node only: the two would be a majority if the wiped one had a vote.
    for node in [wiped, away, left] {
        world.stop(node, true);
    }
    *machine.disks.lock() = Arc::new(Disks::new(seed + 8));
    world.start(left);
    world.start(wiped);
    sleep(Duration::from_secs(20)).await;
    assert!(world.machine(left).up.lock().is_none(), "nobody leads with its vote");
    assert!(machine.ended.lock().is_some() && machine.up.lock().is_none());
    world.start(away);
    world
        .wait("the other two are up", Duration::from_secs(20), async || {
            [away, left].iter().all(|node| world.machine(*node).up.lock().is_some())
        })
        .await;
    world.put(away, "after").await.expect("two that remember are enough");
    for name in ["before", "during", "after"] {
        assert!(world.machine(away).up().state().share_by_name(name).is_some(), "{name}");
    }
}

#[test]
fn a_node_that_lost_its_folder_is_turned_away_and_has_no_vote() {
    run(a_wiped_node);
}

const LOG_BYTES: u64 = 1 << 20;

async fn a_growing_log(seed: u64) {
    // By their number nothing would be purged for a long time.
    let snapshots = Snapshots { log_bytes: LOG_BYTES, ..Snapshots::default() };
    let world = World::new(seed, snapshots).await;
    let mut largest = 0;
    for number in 0..200u64 {
        let big = Command::RemoveShare { name: "x".repeat(150_000) };
        let node = world.machine(1 + number % 3).up();
        assert!(matches!(node.submit(big).await, Ok(Outcome::Refused(_))));
        sleep(Duration::from_millis(100)).await;
        let sizes = world.machines.values().map(|(machine, _)| machine.disks().log_bytes());
        largest = largest.max(sizes.max().expect("three"));
        if number == 100 {
            // Whatever was removed by now is in a durable snapshot: nodes without one do not start.
            for node in 1..=3 {
                world.stop(node, true);
            }
            for node in 1..=3 {
                world.start(node);
            }
            world.all_up().await;
        }
    }
    println!("seed {seed}: 30 MB written, the log took {largest} bytes at most");
    assert!(largest < 3 * LOG_BYTES, "seed {seed}: {largest} bytes");
    world.agree(&[]).await;
}

#[test]
fn a_log_of_large_entries_keeps_to_its_size() {
    run(a_growing_log);
}
