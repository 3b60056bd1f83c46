//! An entry as it stands on the disk: index and term in the write-ahead log's own record, the
//! payload in protobuf beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use bytes::Bytes;
use holdfast_proto::pb::raft_log as pb;
use openraft::EntryPayload;
use prost::Message;

use super::{log_id, position};
use crate::raft::type_config::{CommandBytes, Entry, Membership, PeerNode};
use crate::wal::LogEntry;

/// A stored entry that this version cannot read: a newer one wrote it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("entry {index} of the log cannot be read: {reason}")]
pub struct BadEntry {
    /// Its index.
    pub index: u64,
    /// What is wrong.
    pub reason: String,
}

impl From<BadEntry> for io::Error {
    fn from(bad: BadEntry) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, bad)
    }
}

pub(super) fn to_stored(entry: &Entry) -> LogEntry {
    use pb::stored_entry::Payload;
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank(pb::Blank {}),
        EntryPayload::Normal(command) => Payload::Command(command.0.clone()),
        EntryPayload::Membership(membership) => Payload::Membership(to_message(membership)),
    };
    let body = pb::StoredEntry { payload: Some(payload) }.encode_to_vec();
    LogEntry { position: position(&entry.log_id), body: body.into() }
}

/// # Errors
/// `BadEntry` if the payload is of a kind that this version does not know.
pub(super) fn from_stored(stored: LogEntry) -> Result<Entry, BadEntry> {
    let index = stored.position.index;
    let payload = read_payload(stored.body)
        .map_err(|reason| BadEntry { index, reason: reason.to_string() })?;
    Ok(Entry { log_id: log_id(stored.position), payload })
}

type Payload = EntryPayload<CommandBytes, u64, PeerNode>;

fn read_payload(body: Bytes) -> Result<Payload, Box<dyn std::error::Error>> {
    use pb::stored_entry::Payload;
    match pb::StoredEntry::decode(body)?.payload {
        Some(Payload::Blank(_)) => Ok(EntryPayload::Blank),
        Some(Payload::Command(bytes)) => Ok(EntryPayload::Normal(CommandBytes(bytes))),
        Some(Payload::Membership(message)) => Ok(EntryPayload::Membership(from_message(message)?)),
        None => Err("its payload is of no known kind".into()),
    }
}

fn to_message(membership: &Membership) -> pb::Membership {
    let voters = |set: &BTreeSet<u64>| pb::Voters { nodes: set.iter().copied().collect() };
    let member = |(&node, peer): (&u64, &PeerNode)| pb::Member { node, address: peer.addr.clone() };
    pb::Membership {
        configs: membership.get_joint_config().iter().map(voters).collect(),
        members: membership.nodes().map(member).collect(),
    }
}

fn from_message(message: pb::Membership) -> Result<Membership, Box<dyn std::error::Error>> {
    if message.configs.is_empty() && message.members.is_empty() {
        return Ok(Membership::default());
    }
    let configs: Vec<BTreeSet<u64>> =
        message.configs.into_iter().map(|voters| voters.nodes.into_iter().collect()).collect();
    let members: BTreeMap<u64, PeerNode> = message
        .members
        .into_iter()
        .map(|member| (member.node, PeerNode { addr: member.address }))
        .collect();
    Membership::new(configs, members).map_err(|error| error.to_string().into())
}
