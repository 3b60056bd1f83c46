//! Snapshots: the tables of the state, each in its own order. What follows from them (indexes,
//! reservations, who waits where) is derived anew, so that it cannot contradict them.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::pb::snapshot as pb;
use holdfast_proto::types::{FoldedName, NodeId, SessionId};
use imbl::OrdSet;
use prost::Message;

use super::file::{file_from_pb, file_to_pb};
use super::record::record;
use super::value::Encoded;
use super::{EncodingError, SNAPSHOT_FORMAT};
use crate::command::{IntentId, NodeLife};
use crate::outcome::Outcome;
use crate::state::{
    ClusterInfo, Counters, DutyRecord, Indexes, Intent, NameKey, NodeEnd, NodeRecord, NodeStatus,
    SessionRecord, ShareRecord, State, UnfitVolume, UserRecord, Wait, WaitNumber, WaitOn, Window,
};

record!(ClusterInfo => pb::ClusterInfo {
    cluster_id: bare, server_guid: bare, name: bare, timers: msg, encrypt_data: bare,
    unfit_volumes: many
});
record!(UnfitVolume => pb::UnfitVolume { volume: bare, why: bare });
record!(Counters => pb::Counters {
    joins: bare, open: bare, intent: bare, duty: bare, wait: bare, share: bare, rid: bare
});
record!(ShareRecord => pb::Share { id: bare, settings: msg });
record!(UserRecord => pb::User { rid: bare, settings: msg });
record!(NameKey => pb::NameKey { parent: msg, name: bare });
record!(DutyRecord => pb::DutyRecord { owner: msg, duty: msg });

fn must<T: Encoded>(item: Option<T::Pb>, what: &'static str) -> Result<T, EncodingError> {
    T::from_pb(item.ok_or(EncodingError::Missing(what))?)
}

impl Encoded for NodeStatus {
    type Pb = pb::NodeStatus;
    fn to_pb(&self) -> pb::NodeStatus {
        use pb::node_status::{self as message, Kind};
        let kind = match self {
            NodeStatus::Live => Kind::Live(message::Live {}),
            NodeStatus::Suspected { fencer } => {
                Kind::Suspected(message::Suspected { fencer: fencer.to_pb() })
            }
            NodeStatus::Ended(NodeEnd::Fenced(proof)) => {
                Kind::Fenced(message::Fenced { proof: Some(proof.to_pb()) })
            }
            NodeStatus::Ended(NodeEnd::Left) => Kind::Left(message::Left {}),
        };
        pb::NodeStatus { kind: Some(kind) }
    }
    fn from_pb(pb: pb::NodeStatus) -> Result<NodeStatus, EncodingError> {
        use pb::node_status::Kind;
        Ok(match pb.kind.ok_or(EncodingError::Missing("node status"))? {
            Kind::Live(_) => NodeStatus::Live,
            Kind::Suspected(inner) => {
                NodeStatus::Suspected { fencer: Encoded::from_pb(inner.fencer)? }
            }
            Kind::Fenced(inner) => NodeStatus::Ended(NodeEnd::Fenced(must(inner.proof, "proof")?)),
            Kind::Left(_) => NodeStatus::Ended(NodeEnd::Left),
        })
    }
}

impl Encoded for WaitOn {
    type Pb = pb::WaitOn;
    fn to_pb(&self) -> pb::WaitOn {
        use pb::wait_on::{self as message, Kind};
        let kind = match self {
            WaitOn::File(file) => Kind::File(message::File { file: Some(file.to_pb()) }),
            WaitOn::Name(name) => Kind::Name(message::Name { name: Some(name.to_pb()) }),
            WaitOn::Intent(intent) => Kind::Intent(message::Intent { intent: intent.to_pb() }),
        };
        pb::WaitOn { kind: Some(kind) }
    }
    fn from_pb(pb: pb::WaitOn) -> Result<WaitOn, EncodingError> {
        use pb::wait_on::Kind;
        Ok(match pb.kind.ok_or(EncodingError::Missing("what is waited for"))? {
            Kind::File(inner) => WaitOn::File(must(inner.file, "file")?),
            Kind::Name(inner) => WaitOn::Name(must(inner.name, "name")?),
            Kind::Intent(inner) => WaitOn::Intent(Encoded::from_pb(inner.intent)?),
        })
    }
}

impl Encoded for (NodeId, NodeRecord) {
    type Pb = pb::Node;
    fn to_pb(&self) -> pb::Node {
        let (node, record) = self;
        pb::Node {
            node: node.to_pb(),
            identity: Some(record.identity.to_pb()),
            incarnation: record.incarnation.to_pb(),
            session_prefix: record.session_prefix,
            join_sequence: record.join_sequence,
            status: Some(record.status.to_pb()),
        }
    }
    fn from_pb(pb: pb::Node) -> Result<(NodeId, NodeRecord), EncodingError> {
        let record = NodeRecord {
            identity: must(pb.identity, "identity")?,
            incarnation: Encoded::from_pb(pb.incarnation)?,
            session_prefix: pb.session_prefix,
            join_sequence: pb.join_sequence,
            status: must(pb.status, "node status")?,
        };
        Ok((Encoded::from_pb(pb.node)?, record))
    }
}

impl Encoded for (SessionId, SessionRecord) {
    type Pb = pb::Session;
    fn to_pb(&self) -> pb::Session {
        let (id, session) = self;
        pb::Session {
            id: id.to_pb(),
            life: Some(session.life.to_pb()),
            user: session.user.clone(),
            client_guid: session.client_guid.to_pb(),
            dialect: session.dialect.to_pb(),
        }
    }
    fn from_pb(pb: pb::Session) -> Result<(SessionId, SessionRecord), EncodingError> {
        let session = SessionRecord {
            life: must(pb.life, "life")?,
            user: pb.user,
            client_guid: Encoded::from_pb(pb.client_guid)?,
            dialect: Encoded::from_pb(pb.dialect)?,
        };
        Ok((Encoded::from_pb(pb.id)?, session))
    }
}

impl Encoded for (IntentId, Arc<Intent>) {
    type Pb = pb::Intent;
    fn to_pb(&self) -> pb::Intent {
        let (id, intent) = self;
        pb::Intent {
            id: id.to_pb(),
            owner: Some(intent.owner.to_pb()),
            orphaned: intent.orphaned,
            terms: Some(intent.terms.to_pb()),
            place: Some(intent.place.to_pb()),
            target: intent.target.as_ref().map(Encoded::to_pb),
            directory: intent.directory,
        }
    }
    fn from_pb(pb: pb::Intent) -> Result<(IntentId, Arc<Intent>), EncodingError> {
        let intent = Intent {
            owner: must(pb.owner, "owner")?,
            orphaned: pb.orphaned,
            terms: must(pb.terms, "terms")?,
            place: must(pb.place, "place")?,
            target: pb.target.map(Encoded::from_pb).transpose()?,
            directory: pb.directory,
            waiters: OrdSet::new(),
        };
        Ok((Encoded::from_pb(pb.id)?, Arc::new(intent)))
    }
}

impl Encoded for (WaitNumber, Arc<Wait>) {
    type Pb = pb::Wait;
    fn to_pb(&self) -> pb::Wait {
        let (number, wait) = self;
        pb::Wait {
            number: number.0,
            submit: Some(wait.submit.to_pb()),
            on: Some(wait.on.to_pb()),
            deadline: wait.deadline.as_ref().map(Encoded::to_pb),
            command: Some(wait.command.to_pb()),
        }
    }
    fn from_pb(pb: pb::Wait) -> Result<(WaitNumber, Arc<Wait>), EncodingError> {
        let wait = Wait {
            submit: must(pb.submit, "submit")?,
            on: must(pb.on, "what is waited for")?,
            deadline: pb.deadline.map(Encoded::from_pb).transpose()?,
            command: must(pb.command, "command")?,
        };
        Ok((WaitNumber(pb.number), Arc::new(wait)))
    }
}

fn window_to_pb(life: NodeLife, window: &Window) -> pb::Window {
    let (floor, outcomes) = window.parts();
    let outcomes = outcomes
        .map(|(sequence, outcome)| pb::Remembered { sequence, outcome: Some(outcome.to_pb()) })
        .collect();
    pb::Window { life: Some(life.to_pb()), floor, outcomes }
}

fn window_from_pb(pb: pb::Window) -> Result<(NodeLife, Window), EncodingError> {
    let mut outcomes: Vec<(u64, Outcome)> = Vec::with_capacity(pb.outcomes.len());
    for remembered in pb.outcomes {
        outcomes.push((remembered.sequence, must(remembered.outcome, "outcome")?));
    }
    Ok((must(pb.life, "life")?, Window::from_parts(pb.floor, outcomes)))
}

/// The bytes of a snapshot: the same for equal states.
pub fn encode_snapshot(state: &State) -> Bytes {
    let pairs = pb::Snapshot {
        format: SNAPSHOT_FORMAT,
        time: state.time.to_pb(),
        cluster: state.cluster.as_ref().map(Encoded::to_pb),
        counters: Some(state.counters.to_pb()),
        nodes: state.nodes.iter().map(|(id, node)| (*id, node.clone()).to_pb()).collect(),
        shares: state.shares.values().map(Encoded::to_pb).collect(),
        users: state.users.values().map(Encoded::to_pb).collect(),
        sessions: state.sessions.iter().map(|(id, row)| (*id, row.clone()).to_pb()).collect(),
        files: state.files.iter().map(|(key, file)| file_to_pb(*key, file)).collect(),
        intents: state.intents.iter().map(|(id, row)| (*id, row.clone()).to_pb()).collect(),
        duties: state.duties.values().map(|row| row.as_ref().to_pb()).collect(),
        waits: state.waits.iter().map(|(id, row)| (*id, row.clone()).to_pb()).collect(),
        windows: state.windows.iter().map(|(life, row)| window_to_pb(*life, row)).collect(),
    };
    pairs.encode_to_vec().into()
}

/// The state that the bytes are.
pub fn decode_snapshot(bytes: &[u8]) -> Result<State, EncodingError> {
    let message =
        pb::Snapshot::decode(bytes).map_err(|error| EncodingError::Malformed(error.to_string()))?;
    if message.format != SNAPSHOT_FORMAT {
        return Err(EncodingError::UnknownFormat { found: message.format, known: SNAPSHOT_FORMAT });
    }
    let state = tables(message)?;
    state.check_tables().map_err(EncodingError::Inconsistent)?;
    if encode_snapshot(&state) != bytes {
        return Err(EncodingError::UnknownFields);
    }
    Ok(state)
}

fn tables(message: pb::Snapshot) -> Result<State, EncodingError> {
    let mut state = State {
        time: Encoded::from_pb(message.time)?,
        cluster: message.cluster.map(Encoded::from_pb).transpose()?,
        counters: must(message.counters, "counters")?,
        ..State::default()
    };
    for node in message.nodes {
        let (id, node) = Encoded::from_pb(node)?;
        state.nodes.insert(id, node);
    }
    for share in message.shares {
        let share = ShareRecord::from_pb(share)?;
        state.shares.insert(FoldedName::new(&share.settings.name), share);
    }
    for user in message.users {
        let user = UserRecord::from_pb(user)?;
        state.users.insert(FoldedName::new(&user.settings.name), user);
    }
    for session in message.sessions {
        let (id, session) = Encoded::from_pb(session)?;
        state.sessions.insert(id, session);
    }
    for file in message.files {
        let (key, file) = file_from_pb(file)?;
        state.files.insert(key, Arc::new(file));
    }
    for intent in message.intents {
        let (id, intent) = Encoded::from_pb(intent)?;
        state.intents.insert(id, intent);
    }
    for duty in message.duties {
        let record = DutyRecord::from_pb(duty)?;
        state.duties.insert(record.duty.id, Arc::new(record));
    }
    for window in message.windows {
        let (life, window) = window_from_pb(window)?;
        state.windows.insert(life, window);
    }
    for wait in message.waits {
        let (number, wait) = Encoded::from_pb(wait)?;
        link_waiter(&mut state, number, &wait);
        state.waits.insert(number, wait);
    }
    state.indexes = Indexes::rebuild(&state);
    Ok(state)
}

/// What the request waits for learns of it. If that is not there, the state's check says so.
fn link_waiter(state: &mut State, number: WaitNumber, wait: &Wait) {
    match &wait.on {
        WaitOn::File(key) => {
            if let Some(file) = state.files.get_mut(key) {
                Arc::make_mut(file).waiters.insert(number);
            }
        }
        WaitOn::Intent(id) => {
            if let Some(intent) = state.intents.get_mut(id) {
                Arc::make_mut(intent).waiters.insert(number);
            }
        }
        WaitOn::Name(_) => {}
    }
}

/// A number that differs where states differ: FNV-1a over the snapshot.
pub fn state_hash(state: &State) -> u64 {
    encode_snapshot(state).iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
