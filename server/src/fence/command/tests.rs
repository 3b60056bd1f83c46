//! The command fencer with real programs.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_cluster::command::FenceProof;
use holdfast_cluster::ports::Fencer;
use holdfast_proto::types::Incarnation;

use super::run::OUTPUT_MAX;
use super::*;
use crate::clock::HostClock;
use crate::config::FenceUse;
use crate::fence::same_host::SameHostFencer;
use crate::fence::{FenceFailure, NodeFencer, boot_id, process_start};
use crate::folder::tests_scratch::Scratch;

const LIFE: NodeLife = NodeLife { node: NodeId(2), incarnation: Incarnation(7) };
const SECOND: Duration = Duration::from_secs(1);

/// A script for `/bin/sh`, whose `$0` is a file in the scratch folder.
fn script(text: &str, file: &Path) -> FenceCommand {
    FenceCommand {
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".to_owned(), text.to_owned(), file.to_str().unwrap().to_owned()],
        timeout: SECOND * 20,
    }
}

fn fencer_of(command: FenceCommand) -> (CommandFencer, Arc<FenceLog>) {
    let log = Arc::<FenceLog>::default();
    let clock = Arc::new(HostClock);
    let fencer = CommandFencer::new(command, NodeId(1), Guid([5; 16]), clock, Arc::clone(&log));
    (fencer, log)
}

fn identity() -> NodeIdentity {
    NodeIdentity {
        name: "second".to_owned(),
        smb_address: "192.0.2.2:445".to_owned(),
        peer_address: "127.0.0.2:14451".to_owned(),
        boot_id: "elsewhere".to_owned(),
        pid: 4711,
        process_start: 99,
        ..NodeIdentity::default()
    }
}

async fn failure_of(command: FenceCommand) -> String {
    let (fencer, log) = fencer_of(command);
    let error = fencer.fence(LIFE, &identity()).await.unwrap_err();
    assert!(matches!(error, FenceError::NoProof(LIFE, _)), "{error}");
    assert!(log.records().is_empty(), "no certificate without a proof");
    error.to_string()
}

/// The processes whose command line holds `mark`, by its own argument in `/proc`.
fn processes_with(mark: &str) -> usize {
    let alive = |path: PathBuf| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        // A zombie's is empty.
        String::from_utf8_lossy(&line).contains(mark)
    };
    fs::read_dir("/proc").unwrap().filter(|entry| alive(entry.as_ref().unwrap().path())).count()
}

async fn all_gone(mark: &str) {
    let gone = async {
        while processes_with(mark) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SECOND * 10, gone).await.expect("nothing of the command runs on");
}

#[tokio::test]
async fn success_is_the_proof_and_the_certificate_tells_it() {
    let scratch = Scratch::new("fence-command");
    let file = scratch.path().join("environment");
    let (fencer, log) =
        fencer_of(script("env >\"$0\"; pwd >>\"$0\"; read line || echo eof", &file));
    fencer.fence(LIFE, &identity()).await.unwrap();

    let told = fs::read_to_string(&file).unwrap();
    for line in [
        "HOLDFAST_CLUSTER_ID=05050505-0505-0505-0505-050505050505",
        "HOLDFAST_NODE=2",
        "HOLDFAST_NODE_NAME=second",
        "HOLDFAST_INCARNATION=7",
        "HOLDFAST_SMB_ADDRESS=192.0.2.2:445",
        "HOLDFAST_PEER_ADDRESS=127.0.0.2:14451",
        "HOLDFAST_BOOT_ID=elsewhere",
        "HOLDFAST_PID=4711",
        "HOLDFAST_PROCESS_START=99",
        "HOLDFAST_FENCED_BY=1",
        "HOLDFAST_ATTEMPT=1",
        "HOLDFAST_TIMEOUT_SECONDS=20",
        "/",
    ] {
        assert!(told.lines().any(|found| found == line), "no «{line}» in {told}");
    }
    assert!(!told.contains("CARGO"), "this process's environment is not the command's: {told}");

    let records = log.records();
    let FenceMeans::Command(proof) = &records[0].means else { panic!("{records:?}") };
    assert_eq!((records[0].life, records[0].pid), (LIFE, 4711));
    assert_eq!((proof.program.as_str(), proof.exit_status, proof.attempt), ("/bin/sh", 0, 1));
    assert!(records[0].asked <= proof.started && proof.started < proof.ended);
}

#[tokio::test]
async fn a_proof_is_had_once_and_attempts_are_counted() {
    let scratch = Scratch::new("fence-command");
    let file = scratch.path().join("runs");
    // The first run fails; the second succeeds.
    let text = "echo $HOLDFAST_ATTEMPT >>\"$0\"; test $HOLDFAST_ATTEMPT = 2";
    let (fencer, log) = fencer_of(script(text, &file));
    assert!(fencer.fence(LIFE, &identity()).await.is_err());
    let other = identity();
    let (one, two) = tokio::join!(fencer.fence(LIFE, &other), fencer.fence(LIFE, &other));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(fs::read_to_string(&file).unwrap(), "1\n2\n");
    assert_eq!(log.records().len(), 1);

    let later = NodeLife { incarnation: Incarnation(8), ..LIFE };
    assert!(fencer.fence(later, &other).await.is_err(), "another life needs a proof of its own");
}

#[tokio::test]
async fn every_other_end_proves_nothing() {
    let here = Path::new("/");
    let failed = failure_of(script("echo no power; echo switch >&2; exit 3", here)).await;
    assert!(failed.contains("exit status 3; it said: no power\\nswitch"), "{failed}");
    let killed = failure_of(script("kill -TERM $$", here)).await;
    assert!(killed.contains("ended by signal 15"), "{killed}");
    let missing = FenceCommand { program: "/nowhere/cut-off".into(), ..script("", here) };
    assert!(failure_of(missing).await.contains("it did not run: No such file"));
    let folder = FenceCommand { program: "/tmp".into(), ..script("", here) };
    assert!(failure_of(folder).await.contains("it did not run: Permission denied"));
}

#[tokio::test]
async fn what_hangs_is_killed_with_all_that_it_started() {
    let mark = Scratch::new("fence-hangs");
    let text = "trap '' TERM; (sleep 71.5; : \"$0\") & sh -c 'sleep 72.5; : $0' \"$0\"; wait";
    let command = FenceCommand { timeout: SECOND, ..script(text, mark.path()) };
    let failed = failure_of(command).await;
    assert!(failed.contains("killed: it had not ended after 1 s"), "{failed}");
    all_gone(mark.path().to_str().unwrap()).await;
}

#[tokio::test]
async fn who_stops_waiting_leaves_nothing_running() {
    let mark = Scratch::new("fence-dropped");
    let (fencer, _) = fencer_of(script("sh -c 'sleep 73.5; : $0' \"$0\"; true", mark.path()));
    let identity = identity();
    let waiting = fencer.fence(LIFE, &identity);
    assert!(tokio::time::timeout(SECOND / 2, waiting).await.is_err());
    all_gone(mark.path().to_str().unwrap()).await;
}

#[tokio::test]
async fn what_is_left_behind_neither_lasts_nor_holds_the_proof_up() {
    let mark = Scratch::new("fence-behind");
    let (fencer, _) = fencer_of(script("sh -c 'sleep 74.5; : $0' \"$0\" & exit 0", mark.path()));
    let identity = identity();
    let proved = fencer.fence(LIFE, &identity);
    // It holds the pipe and would hold it for a minute.
    assert!(tokio::time::timeout(SECOND * 15, proved).await.unwrap().is_ok());
    all_gone(mark.path().to_str().unwrap()).await;
}

#[tokio::test]
async fn megabytes_of_output_are_read_and_bounded() {
    let text = "head -c 5000000 /dev/zero | tr '\\0' x; exit 1";
    let failed = failure_of(script(text, Path::new("/"))).await;
    assert!(failed.contains(&"x".repeat(OUTPUT_MAX)), "the beginning is kept");
    assert!(failed.len() < OUTPUT_MAX * 2);
    assert!(failed.contains(&format!("and {} bytes more", 5_000_000 - OUTPUT_MAX)), "{failed}");
}

fn chosen(used: FenceUse, command: Option<FenceCommand>) -> (NodeFencer, Arc<FenceLog>) {
    let (fencer, log) = match command {
        Some(command) => {
            let (fencer, log) = fencer_of(command);
            (Some(fencer), log)
        }
        None => (None, Arc::default()),
    };
    let clock = Arc::new(HostClock);
    let here = SameHostFencer::new(boot_id().unwrap(), clock.clone(), Arc::clone(&log));
    (NodeFencer::new(here, fencer, used, clock, Arc::clone(&log)), log)
}

#[tokio::test]
async fn the_command_is_for_other_hosts_unless_it_is_for_all() {
    let success = || Some(script("exit 0", Path::new("/")));
    let by_command = FenceProof::Command { exit_status: 0 };
    let elsewhere = identity();
    let (fencer, _) = chosen(FenceUse::Process, success());
    assert_eq!(fencer.fence(LIFE, &elsewhere).await.unwrap(), by_command);
    let (fencer, log) = chosen(FenceUse::Process, None);
    assert!(matches!(fencer.fence(LIFE, &elsewhere).await, Err(FenceError::NotMine(..))));
    let FenceFailure { life, attempts, .. } = log.failures()[0].clone();
    assert_eq!((life, attempts), (LIFE, 1), "who waits for a proof sees why there is none");

    // A process of this host, and the lock that it no longer holds.
    let scratch = Scratch::new("fence-chosen");
    let mut child = std::process::Command::new("/bin/sleep").arg("75.5").spawn().unwrap();
    let start = process_start(child.id()).unwrap();
    let lock = scratch.path().join("lock");
    let boot = boot_id().unwrap();
    fs::write(&lock, format!("{boot} {} {start}\n", child.id())).unwrap();
    let here = NodeIdentity {
        boot_id: boot,
        pid: child.id(),
        process_start: start,
        lock_path: lock.to_str().unwrap().to_owned(),
        ..identity()
    };
    let (fencer, _) = chosen(FenceUse::Command, success());
    assert_eq!(fencer.fence(LIFE, &here).await.unwrap(), by_command);
    assert!(child.try_wait().unwrap().is_none(), "the command was used instead of SIGKILL");
    let (fencer, _) = chosen(FenceUse::Process, success());
    let proof = fencer.fence(LIFE, &here).await.unwrap();
    assert_eq!(proof, FenceProof::ProcessEnded { pid: child.id(), lock_dropped: true });
    child.wait().unwrap();

    // Whoever cannot be seen to end is left to the command.
    let hidden = NodeIdentity { lock_path: "/nowhere".to_owned(), ..here };
    assert_eq!(fencer.fence(LIFE_LATER, &hidden).await.unwrap(), by_command);
}

const LIFE_LATER: NodeLife = NodeLife { incarnation: Incarnation(8), ..LIFE };
