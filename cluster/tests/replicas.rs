//! Random commands on several replicas: one applies entries as they are, one after their bytes,
//! one is restored from a snapshot now and then. They must agree on everything, keep the
//! invariants, and keep what must hold from one entry to the next.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_cluster::command::*;
use holdfast_cluster::effect::Effect;
use holdfast_cluster::encoding::{
    decode_entry, decode_snapshot, encode_entry, encode_snapshot, state_hash,
};
use holdfast_cluster::log_time::LogTime;
use holdfast_cluster::outcome::Outcome;
use holdfast_cluster::state::{Binding, DeadlineRow, Entry, LeaseId, State};
use holdfast_proto::types::*;

/// SplitMix64: equal seeds, equal runs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.roll(from.len() as u64) as usize].clone())
    }
}

fn guid(kind: u8, number: u64) -> Guid {
    let mut bytes = [0; 16];
    bytes[0] = kind;
    bytes[1] = number as u8 + 1;
    Guid(bytes)
}

fn file(number: u64) -> FileKey {
    FileKey { volume: VolumeId(1), file: u128::from(number) }
}

/// Files 1 and 2 are directories in the root 0; names are few, so that they meet.
fn place(dice: &mut Dice) -> Place {
    let name = ["a", "A", "b", "c"][dice.roll(4) as usize];
    match dice.roll(3) {
        0 => Place { parent: file(0), ancestors: Vec::new(), path: name.to_owned() },
        dir => {
            Place { parent: file(dir), ancestors: vec![file(0)], path: format!("dir{dir}/{name}") }
        }
    }
}

struct World {
    dice: Dice,
    state: State,
    by_bytes: State,
    restored: State,
    index: u64,
    sequence: u64,
    counter: u32,
    waiting: BTreeSet<SubmitId>,
    /// The last open that each CREATE has made.
    made: BTreeMap<(ClientGuid, CreateGuid), OpenId>,
    outcomes: BTreeMap<&'static str, u64>,
}

impl World {
    fn lives(&self) -> Vec<NodeLife> {
        self.state
            .nodes()
            .filter(|(_, record)| !record.has_ended())
            .map(|(node, record)| record.life(node))
            .collect()
    }

    fn lease(&mut self) -> Option<LeaseRequest> {
        let dice = &mut self.dice;
        dice.chance(70).then(|| LeaseRequest {
            key: guid(b'k', dice.roll(4)),
            state: [LeaseState::RWH, LeaseState::RH, LeaseState::RW, LeaseState::READ]
                [dice.roll(4) as usize],
            parent_key: None,
            epoch: dice.roll(3) as u16,
            version: 2,
        })
    }

    fn terms(&mut self, session: SessionId) -> OpenTerms {
        let lease = self.lease();
        let client_guid =
            self.state.session(session).map_or(Guid::ZERO, |session| session.client_guid);
        let dice = &mut self.dice;
        let access = AccessMask([1, 2, 3, 0x1_0003, 0x80][dice.roll(5) as usize]);
        let durability = match dice.roll(3) {
            0 => Durability::None,
            1 => Durability::Durable { timeout_millis: dice.roll(3) * 700 },
            _ => Durability::Persistent { timeout_millis: dice.roll(3) * 900 },
        };
        let create_options =
            if dice.chance(10) { CreateOptions::DELETE_ON_CLOSE } else { CreateOptions::NONE };
        OpenTerms {
            session,
            client_guid,
            owner: Sid { authority: 5, sub_authorities: vec![dice.roll(20) as u32 / 19] },
            share: ShareId(1),
            desired_access_raw: access,
            access,
            share_access: ShareAccess([7, 7, 7, 3, 1, 0][dice.roll(6) as usize]),
            disposition: CreateDisposition::OPEN_IF,
            create_options_raw: create_options,
            create_options,
            file_attributes: FileAttributes::NORMAL,
            durability,
            create_guid: dice.chance(80).then(|| guid(b'g', dice.roll(40))),
            replay: dice.chance(30),
            lease,
            oplock: 0,
            channel_sequence: dice.roll(4) as u16,
            continuously_available: true,
        }
    }

    fn submit(&mut self, life: NodeLife) -> SubmitId {
        self.sequence += 1;
        SubmitId { node: life.node, incarnation: life.incarnation, sequence: self.sequence }
    }

    fn join(&mut self) -> (NodeLife, Command) {
        let node = NodeId(1 + self.dice.roll(3));
        let proof = FenceProof::Rejoined;
        let identity = NodeIdentity::default();
        let life = NodeLife { node, incarnation: Incarnation(0) };
        (life, Command::JoinNode { node, identity, proof })
    }

    /// A command that mostly makes sense, of a node that mostly may submit it.
    fn next(&mut self) -> (NodeLife, Command) {
        let lives = self.lives();
        let Some(life) = self.dice.pick(&lives) else { return self.join() };
        match self.dice.roll(100) {
            0 => self.join(),
            1 => (life, self.about_node(&lives)),
            2..=7 => {
                self.counter += 1;
                let prefix = self.state.node(life.node).unwrap().session_prefix;
                let session = SessionId::new(prefix, self.counter);
                let client_guid = guid(b'c', self.dice.roll(4));
                let user = "user".to_owned();
                (life, Command::LogOn { life, session, user, client_guid, dialect: 0x311 })
            }
            8..=40 => self.about_session(life),
            41..=75 => self.about_open(life),
            76..=85 => self.about_lease(life),
            86..=94 => self.about_step(life),
            _ => (life, Command::Tick),
        }
    }

    fn about_node(&mut self, lives: &[NodeLife]) -> Command {
        let life = self.dice.pick(lives).unwrap();
        match self.dice.roll(4) {
            0 => Command::SuspectNode { life, fencer: NodeId(1 + self.dice.roll(3)) },
            1 => Command::ClearSuspicion { life },
            2 => Command::LeaveNode { life },
            _ => Command::FenceNode {
                life,
                proof: FenceProof::ProcessEnded { pid: 1, lock_dropped: true },
            },
        }
    }

    fn about_session(&mut self, life: NodeLife) -> (NodeLife, Command) {
        let sessions: Vec<SessionId> = self.state.node_sessions(life).collect();
        let Some(session) = self.dice.pick(&sessions) else { return (life, Command::Tick) };
        let client_guid = self.state.session(session).unwrap().client_guid;
        let command = match self.dice.roll(20) {
            0 => Command::EndSession {
                session,
                how: [EndHow::ConnectionLost, EndHow::LogOff, EndHow::Closed]
                    [self.dice.roll(3) as usize],
            },
            1 => {
                let opens = self.state.session_opens(session).take(2).collect();
                Command::CloseOpens { session, opens }
            }
            2..=7 => {
                let opens: Vec<OpenId> = self.state.opens().map(|(_, open)| open.id).collect();
                let Some(id) = self.dice.pick(&opens) else { return (life, Command::Tick) };
                let open = self.state.open(id).unwrap();
                let lease = open.lease_key.map(|key| LeaseRequest {
                    key,
                    state: LeaseState::RWH,
                    parent_key: None,
                    epoch: 0,
                    version: 2,
                });
                Command::ReconnectOpen {
                    open: id,
                    session,
                    client_guid,
                    owner: open.owner.clone(),
                    share: open.share,
                    create_guid: open.create_guid.unwrap_or_default(),
                    persistent: open.is_persistent(),
                    lease,
                    path: open.place.path.clone(),
                    channel_sequence: 1,
                }
            }
            8..=13 => Command::BeginCreate {
                terms: self.terms(session),
                place: place(&mut self.dice),
                target: self.dice.chance(40).then(|| file(3 + self.dice.roll(4))),
                directory: false,
            },
            _ => {
                let place = place(&mut self.dice);
                let directory = self.dice.chance(10);
                let number = if directory { 1 + self.dice.roll(2) } else { 3 + self.dice.roll(4) };
                let terms = self.terms(session);
                Command::OpenFile { terms, file: file(number), place, directory }
            }
        };
        (life, command)
    }

    fn about_open(&mut self, life: NodeLife) -> (NodeLife, Command) {
        let opens: Vec<OpenId> = self.state.node_opens(life).collect();
        let Some(id) = self.dice.pick(&opens) else { return (life, Command::Tick) };
        let mut open = self.state.open(id).unwrap().open_ref();
        let dice = &mut self.dice;
        open.generation -= u64::from(dice.chance(3));
        let range = |dice: &mut Dice| LockRange {
            offset: dice.roll(4) * 5,
            length: dice.roll(12),
            exclusive: dice.chance(60),
        };
        let sequence = dice
            .chance(30)
            .then(|| LockSequence { index: 1 + dice.roll(2) as u8, number: dice.roll(3) as u8 });
        let command = match dice.roll(14) {
            0..=1 => Command::CloseOpen { open, abandoned: dice.chance(30) },
            2 => Command::ReleaseOpen { open },
            3 => Command::GrantEffective { open },
            4..=5 => Command::BreakForIo { open },
            6..=8 => {
                let fail_immediately = dice.chance(50);
                let count = if fail_immediately { 1 + dice.roll(3) } else { 1 };
                let ranges = (0..count).map(|_| range(dice)).collect();
                Command::Lock { open, ranges, fail_immediately, sequence }
            }
            9 => Command::Unlock { open, ranges: vec![range(dice)], sequence },
            10 => {
                let file = self.state.file_of(id).and_then(|file| self.state.file(file)).unwrap();
                let mine = file.locks().iter().find(|lock| lock.open == id);
                let ranges = mine.map(|lock| lock.range).into_iter().collect();
                Command::Unlock { open, ranges, sequence: None }
            }
            11 => Command::SetDeletePending { open, pending: dice.chance(60) },
            12 => Command::BeginRename {
                open,
                to: place(dice),
                replace: dice.chance(30).then(|| file(3 + dice.roll(4))),
                replace_if_exists: dice.chance(80),
            },
            _ => {
                Command::NoteSearch { open, pattern: "*".to_owned(), last_name: "last".to_owned() }
            }
        };
        (life, command)
    }

    fn about_lease(&mut self, life: NodeLife) -> (NodeLife, Command) {
        let breaking: Vec<LeaseId> = self
            .state
            .files()
            .flat_map(|(_, file)| file.leases())
            .filter(|(_, lease)| lease.notification().is_some() || self.dice.roll(10) == 0)
            .map(|(id, _)| id)
            .collect();
        let Some(LeaseId { client_guid, key }) = self.dice.pick(&breaking) else {
            return (life, Command::Tick);
        };
        let (_, lease) = self.state.lease(LeaseId { client_guid, key }).unwrap();
        let to = lease.breaking.map_or(LeaseState::NONE, |breaking| breaking.to());
        let epoch = lease.epoch;
        let command = match self.dice.roll(5) {
            0..=1 => Command::BreakSent { life, client_guid, key, epoch },
            2..=3 => Command::AckLeaseBreak { client_guid, key, state: to },
            _ => Command::WithdrawLease { client_guid, key, state: LeaseState::READ },
        };
        (life, command)
    }

    fn about_step(&mut self, life: NodeLife) -> (NodeLife, Command) {
        let intents: Vec<IntentId> = self.state.intents().map(|(id, _)| id).collect();
        let duties: Vec<DutyId> = self.state.duties().map(|record| record.duty.id).collect();
        let waits: Vec<SubmitId> = self.state.waits().map(|(_, wait)| wait.submit).collect();
        match self.dice.roll(10) {
            0 => match self.dice.pick(&waits) {
                Some(wait) => {
                    let life = NodeLife { node: wait.node, incarnation: wait.incarnation };
                    (life, Command::CancelWait { wait })
                }
                None => (life, Command::Tick),
            },
            1..=3 => match self.dice.pick(&duties) {
                Some(duty) => {
                    let owner = self.state.duty(duty).unwrap().owner;
                    (owner, Command::EndDuty { duty, done: self.dice.chance(80) })
                }
                None => (life, Command::Tick),
            },
            _ => match self.dice.pick(&intents) {
                Some(intent) => {
                    let found = self.state.intent(intent).unwrap();
                    let (owner, place) = (found.owner, found.place.clone());
                    let file = found.target.unwrap_or(file(10 + self.dice.roll(50)));
                    let action = CreateAction::Created;
                    match self.dice.chance(80) {
                        true => (owner, Command::GrantCreate { intent, file, action, place }),
                        false => (owner, Command::FailCreate { intent }),
                    }
                }
                None => (life, Command::Tick),
            },
        }
    }

    fn step(&mut self) {
        let (life, command) = self.next();
        let submit = self.submit(life);
        let elapsed_nanos = match command {
            Command::Tick => self.dice.roll(600) * 1_000_000,
            _ => 0,
        };
        let entry = Entry { elapsed_nanos, submit, command };
        self.index += 1;
        let before = self.state.clone();
        let applied = self.state.apply(self.index, &entry);
        let decoded = decode_entry(&encode_entry(&entry)).unwrap();
        assert_eq!(decoded, entry);
        assert_eq!(self.by_bytes.apply(self.index, &decoded), applied);
        assert_eq!(self.restored.apply(self.index, &entry), applied);
        assert!(self.state == self.by_bytes && self.state == self.restored);
        self.state.check().unwrap_or_else(|error| panic!("{}: {entry:?}: {error}", self.index));
        if self.dice.chance(5) {
            let bytes = encode_snapshot(&self.state);
            self.restored = decode_snapshot(&bytes).unwrap();
            assert_eq!(self.restored, self.state);
            assert_eq!(state_hash(&self.restored), state_hash(&self.state));
        }
        self.note(&entry, &applied.outcome);
        for effect in &applied.effects {
            if let Effect::Settled { wait, outcome } = effect {
                assert!(
                    self.waiting.remove(wait) || entry.submit == *wait,
                    "{wait:?} is settled twice"
                );
                self.note(&entry, outcome);
            }
        }
        if matches!(applied.outcome, Outcome::Waiting(_)) && self.state.wait(submit).is_some() {
            self.waiting.insert(submit);
        }
        let state = &self.state;
        self.waiting.retain(|wait| state.wait(*wait).is_some());
        assert_eq!(self.waiting.len(), state.waits().count());
        self.compare(&before);
    }

    fn note(&mut self, entry: &Entry, outcome: &Outcome) {
        let name = match outcome {
            Outcome::Done => "done",
            Outcome::Refused(_) => "refused",
            Outcome::Waiting(_) => "waiting",
            Outcome::Granted(grant) if grant.attached => "attached",
            Outcome::Granted(_) => "granted",
            Outcome::Intent { .. } => "intent",
            Outcome::OwnedBy { .. } => "owned",
            Outcome::Locked { .. } => "locked",
            Outcome::Broken { .. } => "broken",
            Outcome::Closed { duty: Some(_) } => "closed with a duty",
            Outcome::Begun { .. } => "begun",
            _ => "other",
        };
        *self.outcomes.entry(name).or_default() += 1;
        let _ = entry;
    }

    /// What must hold between one state and the next.
    fn compare(&mut self, before: &State) {
        assert!(self.state.time() >= before.time());
        for (_, open) in self.state.opens() {
            let Some(earlier) = before.open(open.id) else {
                if let Some(create_guid) = open.create_guid {
                    let made = self.made.insert((open.client_guid, create_guid), open.id);
                    assert!(
                        made.and_then(|other| self.state.open(other))
                            // It may have been given to the client under another ClientGuid.
                            .is_none_or(|other| other.client_guid != open.client_guid),
                        "one CREATE made {made:?} and {}",
                        open.id
                    );
                }
                continue;
            };
            assert!(open.generation >= earlier.generation);
            // An open never goes from one server to another without being given up first.
            if let (Some(now), Some(then)) = (open.bound_to(), earlier.bound_to()) {
                assert_eq!(now, then, "{} was taken from its server", open.id);
                assert_eq!(open.generation, earlier.generation);
            }
        }
        for (_, open) in before.opens() {
            let gone = self.state.open(open.id).is_none();
            if let (true, Binding::Disconnected { deadline }) = (gone, open.binding) {
                let purged = !open.is_persistent();
                assert!(
                    purged || deadline <= self.state.time(),
                    "{} was closed before its deadline",
                    open.id
                );
            }
        }
        for (_, file) in self.state.files() {
            for (id, lease) in file.leases() {
                if let Some((_, earlier)) = before.lease(id) {
                    let risen = lease.epoch.wrapping_sub(earlier.epoch);
                    let changed = earlier.state != lease.state;
                    // An acknowledgement and a withdrawal change the state alone. A lease that
                    // went and came anew begins with its client's epoch.
                    let _ = changed;
                    assert!(risen <= 3 || lease.epoch <= 3, "{id:?}: epoch fell");
                }
            }
        }
    }
}

fn found(state: &mut State) {
    let submit = SubmitId { node: NodeId(1), incarnation: Incarnation(0), sequence: 0 };
    let timers = Timers {
        break_ack_millis: 900,
        break_ack_persistent_millis: 1_500,
        contender_wait_millis: 4_000,
        persistent_millis: 2_000,
        durable_millis: 1_000,
        durable_max_millis: 3_000,
    };
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
    let user = UserSettings { name: "user".to_owned(), nt_hash: [0; 16], disabled: false };
    let commands = [
        Command::FoundCluster {
            cluster_id: Guid([1; 16]),
            server_guid: Guid([2; 16]),
            name: "holdfast".to_owned(),
            timers,
        },
        Command::PutShare { settings, replace: false },
        Command::PutUser { settings: user, replace: false },
        Command::SetEncryption { required: true },
        Command::JudgeVolume { volume: VolumeId(9), unfit: Some("stale names".to_owned()) },
    ];
    for (at, command) in commands.into_iter().enumerate() {
        let entry = Entry { elapsed_nanos: 0, submit, command };
        assert_eq!(state.apply(at as u64 + 1, &entry).outcome, Outcome::Done);
    }
}

fn run(seed: u64, steps: u64) -> BTreeMap<&'static str, u64> {
    let mut state = State::default();
    found(&mut state);
    let mut world = World {
        dice: Dice(seed),
        by_bytes: state.clone(),
        restored: state.clone(),
        state,
        index: 5,
        sequence: 0,
        counter: 0,
        waiting: BTreeSet::new(),
        made: BTreeMap::new(),
        outcomes: BTreeMap::new(),
    };
    for _ in 0..steps {
        world.step();
    }
    drain(&mut world);
    world.outcomes
}

/// After every node has left and time has passed, nothing is left but what somebody still has to
/// carry out.
fn drain(world: &mut World) {
    let apply = |world: &mut World, life: NodeLife, nanos: u64, command: Command| {
        let submit = world.submit(life);
        world.index += 1;
        world.state.apply(world.index, &Entry { elapsed_nanos: nanos, submit, command });
        world.state.check().unwrap();
    };
    for life in world.lives() {
        apply(world, life, 0, Command::LeaveNode { life });
    }
    let nobody = NodeLife { node: NodeId(1), incarnation: Incarnation(0) };
    for _ in 0..20 {
        apply(world, nobody, LogTime::STEP_MAX_NANOS, Command::Tick);
    }
    assert_eq!(world.state.open_count(), 0);
    assert_eq!(world.state.waits().count(), 0);
    let left: Vec<DeadlineRow> = world.state.deadlines().map(|(_, row)| row).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// `PLANT=<bug>`, with the feature `planted`, shows that the bug is found.
#[cfg(feature = "planted")]
fn plant() {
    use holdfast_cluster::planted::{self, PlantedBug};
    if let Ok(name) = std::env::var("PLANT") {
        planted::plant(PlantedBug::from_name(&name).expect("a bug that can be planted"));
    }
}

#[test]
fn replicas_agree() {
    #[cfg(feature = "planted")]
    plant();
    let seeds = std::env::var("SEEDS").map_or(40, |seeds| seeds.parse().unwrap());
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..seeds {
        for (name, count) in run(seed, 1_500) {
            *outcomes.entry(name).or_default() += count;
        }
    }
    println!("{outcomes:?}");
    for name in ["attached", "granted", "waiting", "intent", "owned", "locked", "broken", "begun"] {
        assert!(outcomes.get(name).is_some_and(|count| *count > seeds), "few {name}: {outcomes:?}");
    }
}
