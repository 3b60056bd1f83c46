//! The fencer against real processes: this test's own binary, started again as a node that only
//! holds its lock.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use holdfast_proto::types::{Incarnation, NodeId};

use super::*;
use crate::clock::HostClock;
use crate::fence::{Signal, boot_id, process_start};
use crate::folder::tests_scratch::Scratch;
use crate::folder::{LifeLock, LifeStamp, NodeFolder};
use crate::random::HostRandom;

const FOLDER: &str = "HOLDFAST_TEST_LIFE_FOLDER";

/// Not a test of its own: what the other tests start as their victim.
#[test]
#[allow(clippy::disallowed_methods, reason = "a process that does nothing else")]
fn victim() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let stamp = LifeStamp::of_this_process().unwrap();
    let lock = LifeLock::begin(&NodeFolder::at(folder), &stamp, &HostRandom).unwrap();
    eprintln!("\nlock {}", lock.path().display());
    std::thread::sleep(Duration::from_secs(60));
}

struct Victim {
    child: Child,
    identity: NodeIdentity,
}

impl Victim {
    fn start(scratch: &Scratch) -> Victim {
        std::fs::create_dir_all(NodeFolder::at(scratch.path()).lives()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fence::same_host::tests::victim", "--nocapture"])
            .env(FOLDER, scratch.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let lock_path = errors
            .lines()
            .find_map(|line| line.unwrap().strip_prefix("lock ").map(str::to_owned))
            .expect("the victim has its lock");
        let identity = NodeIdentity {
            boot_id: boot_id().unwrap(),
            pid: child.id(),
            process_start: process_start(child.id()).unwrap(),
            lock_path,
            ..NodeIdentity::default()
        };
        Victim { child, identity }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // The test may have ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fencer() -> (SameHostFencer, Arc<FenceLog>) {
    let log = Arc::<FenceLog>::default();
    (SameHostFencer::new(boot_id().unwrap(), Arc::new(HostClock), Arc::clone(&log)), log)
}

#[track_caller]
fn process_end(record: &FenceRecord) -> ProcessEnd {
    match record.means {
        FenceMeans::Process(end) => end,
        ref other => panic!("{other:?}"),
    }
}

const LIFE: NodeLife = NodeLife { node: NodeId(1), incarnation: Incarnation(7) };

#[tokio::test]
async fn a_stopped_process_is_ended_and_the_certificate_tells_when() {
    let scratch = Scratch::new("fence");
    let victim = Victim::start(&scratch);
    let (fencer, log) = fencer();
    fencer.prepare(LIFE, &victim.identity);
    Process::of_child(victim.child.id()).unwrap().send(Signal::STOP).unwrap();

    let proof = fencer.fence(LIFE, &victim.identity).await.unwrap();
    assert_eq!(proof, FenceProof::ProcessEnded { pid: victim.identity.pid, lock_dropped: true });
    let record = &log.records()[0];
    let end = process_end(record);
    assert!(record.asked <= end.killed.unwrap());
    assert!(end.killed <= end.exited && end.exited <= end.lock_dropped);
}

#[tokio::test]
async fn an_end_is_noticed_and_proved_by_the_lock_alone() {
    let scratch = Scratch::new("fence");
    let mut victim = Victim::start(&scratch);
    let (watching, _) = fencer();
    watching.prepare(LIFE, &victim.identity);
    let alive =
        tokio::time::timeout(Duration::from_millis(120), watching.ended(LIFE, &victim.identity));
    assert!(alive.await.is_err(), "it lives");
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    tokio::time::timeout(Duration::from_secs(5), watching.ended(LIFE, &victim.identity))
        .await
        .expect("its end is noticed");

    // A fencer that never saw it alive has only the lock.
    let (late, log) = fencer();
    late.fence(LIFE, &victim.identity).await.unwrap();
    assert_eq!(process_end(&log.records()[0]).killed, None);
}

#[tokio::test]
async fn what_cannot_be_seen_brings_no_proof() {
    let scratch = Scratch::new("fence");
    let victim = Victim::start(&scratch);
    let (fencer, log) = fencer();

    let reused = NodeIdentity { process_start: 1, ..victim.identity.clone() };
    assert!(matches!(fencer.fence(LIFE, &reused).await, Err(FenceError::NoProof(..))));
    assert!(process_start(victim.child.id()).is_ok(), "another process is not killed");

    let elsewhere = NodeIdentity { boot_id: "another".to_owned(), ..victim.identity.clone() };
    assert!(matches!(fencer.fence(LIFE, &elsewhere).await, Err(FenceError::NotMine(..))));

    let own = NodeIdentity {
        pid: std::process::id(),
        process_start: process_start(std::process::id()).unwrap(),
        ..victim.identity.clone()
    };
    let other = NodeLife { incarnation: Incarnation(8), ..LIFE };
    assert!(matches!(fencer.fence(other, &own).await, Err(FenceError::NoProof(..))));
    assert!(log.records().is_empty());
}
