//! A cluster in a test: each line of a story is a command of one of its nodes.

use std::collections::BTreeMap;
use std::fmt::Write;

use holdfast_cluster::command::*;
use holdfast_cluster::encoding::{decode_entry, decode_snapshot, encode_entry, encode_snapshot};
use holdfast_cluster::state::{Entry, State};
use holdfast_proto::types::*;

use crate::show;
use crate::words::{self, Words};

pub struct World {
    state: State,
    index: u64,
    sequence: u64,
    /// By the name that a story gives them, such as `A@1`.
    sessions: BTreeMap<String, (SessionId, ClientGuid)>,
    counter: u32,
}

impl World {
    /// A founded cluster with a share and a user; no node has joined.
    pub fn new() -> World {
        let state = State::default();
        let mut world =
            World { state, index: 0, sequence: 0, sessions: BTreeMap::new(), counter: 0 };
        let nobody = SubmitId { node: NodeId(1), incarnation: Incarnation(0), sequence: 0 };
        world.apply(
            nobody,
            0,
            Command::FoundCluster {
                cluster_id: words::guid("cluster"),
                server_guid: words::guid("server"),
                name: "holdfast".to_owned(),
                timers: Timers::default(),
            },
        );
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
        world.apply(nobody, 0, Command::PutShare { settings, replace: false });
        let settings = UserSettings { name: "user".to_owned(), nt_hash: [7; 16], disabled: false };
        world.apply(nobody, 0, Command::PutUser { settings, replace: false });
        world
    }

    /// Carries a line out and tells what came of it.
    pub fn answer(&mut self, line: &str) -> String {
        let words = Words::of(line);
        match words.name {
            "file" => {
                let state = self.state.file(words::file(words.numbered('f')));
                return state.map_or("nothing\n".to_owned(), show::file_state);
            }
            "due" => {
                let due = self.state.due_to(self.life(words.numbered('n')));
                let lines: Vec<String> = due.iter().map(|e| show::effect(e) + "\n").collect();
                return if lines.is_empty() { "nothing\n".to_owned() } else { lines.concat() };
            }
            "deadlines" => {
                let next = self.state.next_deadline();
                return format!("next {next:?}, now {:?}\n", self.state.time());
            }
            "pass" => return self.pass(words.number("ms").unwrap()),
            _ => {}
        }
        let (submit, command) = self.command(&words);
        self.apply(submit, 0, command)
    }

    /// Time passes as the leader has it pass: by ticks.
    fn pass(&mut self, mut millis: u64) -> String {
        let mut told = String::new();
        let node = NodeId(1);
        while millis > 0 {
            let step = millis.min(500);
            millis -= step;
            let submit = SubmitId { node, incarnation: Incarnation(0), sequence: 0 };
            let answer = self.apply(submit, step, Command::Tick);
            told.extend(answer.lines().skip(1).map(|line| format!("{line}\n")));
        }
        writeln!(told, "now {:?}", self.state.time()).unwrap();
        told
    }

    fn apply(&mut self, submit: SubmitId, millis: u64, command: Command) -> String {
        self.index += 1;
        let entry = Entry { elapsed_nanos: millis * 1_000_000, submit, command };
        let decoded = decode_entry(&encode_entry(&entry)).unwrap();
        assert_eq!(decoded, entry);
        let applied = self.state.apply(self.index, &decoded);
        self.state.check().unwrap_or_else(|error| panic!("after {entry:?}: {error}"));
        let restored = decode_snapshot(&encode_snapshot(&self.state)).unwrap();
        assert_eq!(restored, self.state, "after {entry:?}");
        let mut told = show::outcome(&applied.outcome) + "\n";
        for effect in &applied.effects {
            writeln!(told, "  {}", show::effect(effect)).unwrap();
        }
        told
    }

    fn life(&self, node: u64) -> NodeLife {
        let node = NodeId(node);
        let incarnation = self.state.node(node).map_or(Incarnation(0), |record| record.incarnation);
        NodeLife { node, incarnation }
    }

    fn submit(&mut self, life: NodeLife, words: &Words) -> SubmitId {
        self.sequence += 1;
        let sequence = words.number("seq").unwrap_or(self.sequence);
        SubmitId { node: life.node, incarnation: life.incarnation, sequence }
    }

    /// The session that a word such as `A@1` names.
    fn session(&self, words: &Words) -> (SessionId, ClientGuid) {
        let name = words.bare.iter().find(|word| word.contains('@')).expect("a session");
        *self.sessions.get(*name).unwrap_or_else(|| panic!("no session {name}"))
    }

    fn session_life(&self, words: &Words) -> NodeLife {
        let name = words.bare.iter().find(|word| word.contains('@')).expect("a session");
        match words.number("by") {
            Some(node) => self.life(node),
            None => self.life(name.split_once('@').unwrap().1.parse().unwrap()),
        }
    }

    fn open_ref(&self, words: &Words) -> OpenRef {
        let open = OpenId(words.numbered('o'));
        let current = self.state.open(open).map_or(0, |open| open.generation);
        OpenRef { open, generation: words.number("gen").unwrap_or(current) }
    }

    /// Who serves the open that the words name, or the node that they say.
    fn server(&self, words: &Words) -> NodeLife {
        if let Some(node) = words.number("by") {
            return self.life(node);
        }
        let open = self.state.open(OpenId(words.numbered('o'))).expect("an open");
        open.bound_to().expect("an open that is served").0
    }

    fn lease(words: &Words) -> Option<LeaseRequest> {
        let (key, state) = words.text("lease")?.split_once(':')?;
        Some(LeaseRequest {
            key: words::guid(key),
            state: words::lease_state(state),
            parent_key: None,
            epoch: words.number("epoch").unwrap_or(0) as u16,
            version: words.number("version").unwrap_or(2) as u8,
        })
    }

    fn terms(&self, words: &Words) -> OpenTerms {
        let (session, client_guid) = self.session(words);
        let (access, share) = words.text("mode").unwrap_or("r:rwd").split_once(':').unwrap();
        let millis = words.number("timeout").unwrap_or(0);
        let durability = match (words.has("persistent"), words.has("durable")) {
            (true, _) => Durability::Persistent { timeout_millis: millis },
            (_, true) => Durability::Durable { timeout_millis: millis },
            _ => Durability::None,
        };
        let options = match words.has("delete-on-close") {
            true => CreateOptions::DELETE_ON_CLOSE,
            false => CreateOptions::NONE,
        };
        OpenTerms {
            session,
            client_guid,
            owner: Self::owner(words),
            share: ShareId(words.number("share").unwrap_or(1)),
            desired_access_raw: words::access(access),
            access: words::access(access),
            share_access: words::share(share),
            disposition: CreateDisposition::OPEN_IF,
            create_options_raw: options,
            create_options: options,
            file_attributes: FileAttributes::NORMAL,
            durability,
            create_guid: words.text("guid").map(words::guid),
            replay: words.has("replay"),
            lease: Self::lease(words),
            oplock: 0,
            channel_sequence: words.number("channel").unwrap_or(0) as u16,
            continuously_available: true,
        }
    }

    fn owner(words: &Words) -> Sid {
        let rid = words.number("owner").unwrap_or(1_000) as u32;
        Sid { authority: 5, sub_authorities: vec![21, 1, 2, 3, rid] }
    }

    fn file_word(words: &Words) -> FileKey {
        words::file(words.number("f").expect("f=<file>"))
    }

    fn command(&mut self, words: &Words) -> (SubmitId, Command) {
        let (life, command) = match words.name {
            "join" | "leave" | "suspect" | "clear" | "fence" | "logon" | "endsession" => {
                self.cluster_command(words)
            }
            "open" | "create" | "reconnect" | "closeall" => self.session_command(words),
            "sent" | "ack" | "withdraw-lease" => self.lease_command(words),
            "grant" | "fail" | "duty" | "cancel" => self.node_command(words),
            _ => self.open_command(words),
        };
        (self.submit(life, words), command)
    }

    fn cluster_command(&mut self, words: &Words) -> (NodeLife, Command) {
        if words.name == "endsession" {
            let (session, _) = self.session(words);
            let how = match (words.has("logoff"), words.has("closed")) {
                (true, _) => EndHow::LogOff,
                (_, true) => EndHow::Closed,
                _ => EndHow::ConnectionLost,
            };
            return (self.session_life(words), Command::EndSession { session, how });
        }
        if words.name == "logon" {
            let name = words.bare[0];
            let (client, node) = name.split_once('@').unwrap();
            let life = self.life(node.parse().unwrap());
            let prefix = self.state.node(life.node).map_or(0, |record| record.session_prefix);
            self.counter += 1;
            let session = SessionId::new(prefix, self.counter);
            let client_guid = words::guid(client.trim_end_matches('\''));
            self.sessions.insert(name.to_owned(), (session, client_guid));
            let dialect = words.number("dialect").unwrap_or(0x311) as u16;
            let user = words.text("user").unwrap_or("USER").to_owned();
            return (life, Command::LogOn { life, session, user, client_guid, dialect });
        }
        let node = words.numbered('n');
        let life = self.life(node);
        let by = self.life(words.number("by").unwrap_or(node));
        let proof = match words.text("proof") {
            None => FenceProof::Rejoined,
            Some("killed") => FenceProof::ProcessEnded { pid: 7, lock_dropped: true },
            Some("locked") => FenceProof::ProcessEnded { pid: 7, lock_dropped: false },
            Some(status) => FenceProof::Command { exit_status: status.parse().unwrap() },
        };
        match words.name {
            "join" => {
                let identity = NodeIdentity {
                    name: format!("n{node}"),
                    boot_id: "boot".to_owned(),
                    ..NodeIdentity::default()
                };
                let nobody = NodeLife { node: NodeId(node), incarnation: Incarnation(0) };
                (nobody, Command::JoinNode { node: NodeId(node), identity, proof })
            }
            "leave" => (life, Command::LeaveNode { life }),
            "suspect" => {
                let fencer = NodeId(words.number("by").unwrap());
                (by, Command::SuspectNode { life, fencer })
            }
            "clear" => (by, Command::ClearSuspicion { life }),
            _ => (by, Command::FenceNode { life, proof }),
        }
    }

    fn session_command(&mut self, words: &Words) -> (NodeLife, Command) {
        let life = self.session_life(words);
        let path = words.text("path").unwrap_or("x");
        let directory = words.has("directory");
        let command = match words.name {
            "open" => Command::OpenFile {
                terms: self.terms(words),
                file: Self::file_word(words),
                place: words::place(path),
                directory,
            },
            "create" => Command::BeginCreate {
                terms: self.terms(words),
                place: words::place(path),
                target: words.number("f").map(words::file),
                directory,
            },
            "closeall" => {
                let (session, _) = self.session(words);
                let opens = self.state.session_opens(session).collect();
                Command::CloseOpens { session, opens }
            }
            _ => {
                let (session, client_guid) = self.session(words);
                Command::ReconnectOpen {
                    open: OpenId(words.numbered('o')),
                    session,
                    client_guid,
                    owner: Self::owner(words),
                    share: ShareId(words.number("share").unwrap_or(1)),
                    create_guid: words::guid(words.text("guid").unwrap_or("")),
                    persistent: words.has("persistent"),
                    lease: Self::lease(words),
                    path: path.to_owned(),
                    channel_sequence: words.number("channel").unwrap_or(0) as u16,
                }
            }
        };
        (life, command)
    }

    fn lease_command(&mut self, words: &Words) -> (NodeLife, Command) {
        let (_, client_guid) = self.session(words);
        let life = self.session_life(words);
        let (key, state) = words.bare[1].split_once(':').unwrap_or((words.bare[1], "-"));
        let (key, state) = (words::guid(key), words::lease_state(state));
        let command = match words.name {
            "ack" => Command::AckLeaseBreak { client_guid, key, state },
            "withdraw-lease" => Command::WithdrawLease { client_guid, key, state },
            _ => {
                let epoch = words.number("epoch").unwrap() as u16;
                Command::BreakSent { life, client_guid, key, epoch }
            }
        };
        (life, command)
    }

    /// Commands of the node that `by` names.
    fn node_command(&mut self, words: &Words) -> (NodeLife, Command) {
        let life = self.life(words.number("by").expect("by=<node>"));
        let command = match words.name {
            "grant" => Command::GrantCreate {
                intent: IntentId(words.numbered('i')),
                file: Self::file_word(words),
                action: match words.has("overwritten") {
                    true => CreateAction::Overwritten,
                    false => CreateAction::Created,
                },
                place: words::place(words.text("path").unwrap_or("x")),
            },
            "fail" => Command::FailCreate { intent: IntentId(words.numbered('i')) },
            "duty" => {
                Command::EndDuty { duty: DutyId(words.numbered('d')), done: !words.has("failed") }
            }
            _ => Command::CancelWait {
                wait: SubmitId {
                    node: life.node,
                    incarnation: life.incarnation,
                    sequence: words.number("wait").unwrap(),
                },
            },
        };
        (life, command)
    }

    fn open_command(&mut self, words: &Words) -> (NodeLife, Command) {
        let open = self.open_ref(words);
        let ranges: Vec<LockRange> =
            words.bare.iter().filter_map(|word| words::range(word)).collect();
        let sequence = words.text("number").map(|text| {
            let (index, number) = text.split_once(':').unwrap();
            LockSequence { index: index.parse().unwrap(), number: number.parse().unwrap() }
        });
        let command = match words.name {
            "close" => Command::CloseOpen { open, abandoned: words.has("abandoned") },
            "release" => Command::ReleaseOpen { open },
            "effective" => Command::GrantEffective { open },
            "io" => Command::BreakForIo { open },
            "lock" => {
                let fail_immediately = words.has("now");
                Command::Lock { open, ranges, fail_immediately, sequence }
            }
            "unlock" => Command::Unlock { open, ranges, sequence },
            "withdraw-lock" => Command::WithdrawLock { open, ranges, sequence },
            "delete" => Command::SetDeletePending { open, pending: !words.has("no") },
            "rename" => Command::BeginRename {
                open,
                to: words::place(words.text("to").unwrap()),
                replace: words.number("over").map(words::file),
                replace_if_exists: words.has("replace"),
            },
            "search" => Command::NoteSearch {
                open,
                pattern: words.bare[1].to_owned(),
                last_name: words.bare[2].to_owned(),
            },
            other => panic!("no command {other}"),
        };
        (self.server(words), command)
    }
}
