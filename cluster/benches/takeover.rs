//! What the end of a node costs the state machine: one entry moves everything that it held.
//!
//! `cargo bench -p holdfast-cluster --bench takeover` prints how long that entry takes to apply, for
//! several numbers of opens. While it is applied nothing else is decided on any node, so it has to
//! stay far below an election's time-out, and to grow with the number of opens and no faster.

#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::time::{Duration, Instant};

use holdfast_cluster::command::*;
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::state::{Entry, State};
use holdfast_proto::types::*;

const SESSIONS: u64 = 50;
/// The best of so many is printed.
const ROUNDS: usize = 3;
/// Replicated time until whatever waits has expired.
const LONG: Duration = Duration::from_secs(400);

/// What the node holds when it ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Persistent opens of a file each, three directories down.
    Persistent,
    /// The same, with a lease each.
    Leased,
    /// Opens that nobody comes back for, of a file each.
    Volatile,
    /// Opens that nobody comes back for, with a lease each, all of one file.
    OneFile,
}

impl Held {
    const ALL: [(Held, &'static str, [u64; 3]); 4] = [
        (Held::Persistent, "persistent, a file each", [25_000, 50_000, 100_000]),
        (Held::Leased, "persistent and leased, a file each", [25_000, 50_000, 100_000]),
        (Held::Volatile, "neither, a file each", [25_000, 50_000, 100_000]),
        // Each open of one file looks at the others: more would take long to set up.
        (Held::OneFile, "leased, all of one file", [2_500, 5_000, 10_000]),
    ];
}

/// A replica and what was applied to it.
#[derive(Clone)]
struct Replica {
    state: State,
    index: u64,
    sequence: u64,
}

impl Replica {
    fn new() -> Replica {
        let mut replica = Replica { state: State::default(), index: 0, sequence: 0 };
        let nobody = NodeLife { node: NodeId(0), incarnation: Incarnation(0) };
        let found = Command::FoundCluster {
            cluster_id: guid(1, 1),
            server_guid: guid(1, 2),
            name: "holdfast".to_owned(),
            timers: Timers::default(),
        };
        replica.apply(nobody, found);
        let nt_hash = [0; 16];
        let settings = UserSettings { name: "jane".to_owned(), nt_hash, disabled: false };
        replica.apply(nobody, Command::PutUser { settings, replace: false });
        let settings = ShareSettings {
            name: "data".to_owned(),
            comment: String::new(),
            volume: VolumeId(1),
            path: String::new(),
            continuously_available: true,
            encrypt: false,
            read_only: false,
            ca_timeout_millis: 0,
        };
        replica.apply(nobody, Command::PutShare { settings, replace: false });
        replica
    }

    fn apply(&mut self, by: NodeLife, command: Command) -> Outcome {
        self.apply_after(Duration::ZERO, by, command)
    }

    fn apply_after(&mut self, elapsed: Duration, by: NodeLife, command: Command) -> Outcome {
        self.index += 1;
        self.sequence += 1;
        let NodeLife { node, incarnation } = by;
        let submit = SubmitId { node, incarnation, sequence: self.sequence };
        let entry = Entry { elapsed_nanos: elapsed.as_nanos() as u64, submit, command };
        self.state.apply(self.index, &entry).outcome
    }

    fn join(&mut self, node: u64) -> (NodeLife, u32) {
        let node = NodeId(node);
        let identity = NodeIdentity { boot_id: "boot".to_owned(), ..NodeIdentity::default() };
        let command = Command::JoinNode { node, identity, proof: FenceProof::Rejoined };
        match self.apply(NodeLife { node, incarnation: Incarnation(0) }, command) {
            Outcome::Joined { incarnation, session_prefix } => {
                (NodeLife { node, incarnation }, session_prefix)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass until nothing is due any more; the longest that one entry took.
    fn pass(&mut self, by: NodeLife, time: Duration) -> Duration {
        let step = Duration::from_millis(500);
        let mut longest = Duration::ZERO;
        for _ in 0..time.as_millis() / step.as_millis() {
            let published = self.state.clone();
            let begun = Instant::now();
            self.apply_after(step, by, Command::Tick);
            longest = longest.max(begun.elapsed());
            drop(published);
        }
        longest
    }
}

fn guid(kind: u8, number: u64) -> Guid {
    let mut bytes = [kind; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Guid(bytes)
}

fn key(file: u64) -> FileKey {
    FileKey { volume: VolumeId(1), file: u128::from(file) }
}

/// A node with so many opens, and another one.
fn cluster(held: Held, opens: u64) -> (Replica, NodeLife, NodeLife) {
    let mut replica = Replica::new();
    let (doomed, prefix) = replica.join(1);
    let (other, _) = replica.join(2);
    for number in 0..SESSIONS {
        let log_on = Command::LogOn {
            life: doomed,
            session: SessionId::new(prefix, number as u32 + 1),
            user: "jane".to_owned(),
            client_guid: guid(2, number),
            dialect: 0x0311,
        };
        assert_eq!(replica.apply(doomed, log_on), Outcome::Done);
    }
    for number in 0..opens {
        let granted = replica.apply(doomed, open(held, prefix, number));
        assert!(matches!(granted, Outcome::Granted(_)), "{granted:?}");
    }
    (replica, doomed, other)
}

fn open(held: Held, prefix: u32, number: u64) -> Command {
    let session = number % SESSIONS;
    let lease = matches!(held, Held::Leased | Held::OneFile).then(|| LeaseRequest {
        key: guid(4, number),
        state: LeaseState::RH,
        parent_key: None,
        epoch: 0,
        version: 2,
    });
    let (file, path) = match held {
        Held::OneFile => (1_000, "department/projects/everybody.txt".to_owned()),
        _ => (1_000 + number, format!("department/projects/file-{number}.txt")),
    };
    let persistent = matches!(held, Held::Persistent | Held::Leased);
    let access = AccessMask::READ_DATA | AccessMask::READ_ATTRIBUTES;
    let terms = OpenTerms {
        session: SessionId::new(prefix, session as u32 + 1),
        client_guid: guid(2, session),
        owner: Sid { authority: 5, sub_authorities: vec![21, 1, 2, 3, 1_000] },
        share: ShareId(1),
        desired_access_raw: access,
        access,
        share_access: ShareAccess(7),
        disposition: CreateDisposition::OPEN,
        create_options_raw: CreateOptions::NONE,
        create_options: CreateOptions::NONE,
        file_attributes: FileAttributes::NONE,
        durability: match persistent {
            true => Durability::Persistent { timeout_millis: 180_000 },
            false => Durability::None,
        },
        create_guid: persistent.then(|| guid(3, number)),
        replay: false,
        lease,
        oplock: 0,
        channel_sequence: 0,
        continuously_available: true,
    };
    let place = Place { parent: key(3), ancestors: vec![key(1), key(2)], path };
    Command::OpenFile { terms, file: key(file), place, directory: false }
}

/// How long the fence takes, and the longest tick after it.
fn measure(held: Held, opens: u64) -> (Duration, Duration) {
    let (before, doomed, other) = cluster(held, opens);
    let fence = Command::FenceNode {
        life: doomed,
        proof: FenceProof::ProcessEnded { pid: 1, lock_dropped: true },
    };
    let (mut best, mut ticks) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        // Readers hold the state as it was before, as they do on a node.
        let mut replica = before.clone();
        let begun = Instant::now();
        assert_eq!(replica.apply(other, fence.clone()), Outcome::Done);
        best = best.min(begun.elapsed());
        assert_eq!(replica.state.node_opens(doomed).count(), 0);
        ticks = ticks.min(replica.pass(other, LONG));
        assert_eq!(replica.state.open_count(), 0, "everything has expired");
    }
    (best, ticks)
}

fn main() {
    println!(
        "{:<36} {:>8} {:>12} {:>10} {:>14}",
        "held", "opens", "fence", "an open", "longest tick"
    );
    for (held, name, numbers) in Held::ALL {
        for opens in numbers {
            let (fence, tick) = measure(held, opens);
            println!(
                "{name:<36} {opens:>8} {:>9.1} ms {:>7.2} µs {:>11.1} ms",
                fence.as_secs_f64() * 1e3,
                fence.as_secs_f64() * 1e6 / opens as f64,
                tick.as_secs_f64() * 1e3,
            );
        }
    }
}
