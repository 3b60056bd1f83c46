//! Raft's own types as protobuf. What comes from the wire is checked here, once.

use std::collections::{BTreeMap, BTreeSet};

use openraft::EntryPayload;
use openraft::alias::SnapshotMetaOf;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, TransferLeaderRequest, VoteRequest, VoteResponse,
};

use super::pb;
use crate::raft::type_config::{
    CommandBytes, Entry, LogId, Membership, PeerNode, StoredMembership, TypeConfig, Vote,
};

/// A message that is not what it should be; names the part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("malformed message between nodes: {0}")]
pub struct BadMessage(pub &'static str);

/// The outcome of one append request.
pub type AppendOutcome = Result<Option<LogId>, StreamAppendError<TypeConfig>>;

/// The most voters and learners that a membership may name.
const MAX_MEMBERS: usize = 64;

pub fn log_id_to(id: &LogId) -> pb::LogId {
    pb::LogId { term: id.committed_leader_id().term, index: id.index() }
}

pub fn log_id_from(id: pb::LogId) -> LogId {
    LogId::new_term_index(id.term, id.index)
}

pub fn ballot_to(vote: &Vote) -> pb::Ballot {
    pb::Ballot {
        term: vote.leader_id.term,
        node: vote.leader_id.voted_for,
        committed: vote.committed,
    }
}

pub fn ballot_from(ballot: Option<pb::Ballot>) -> Result<Vote, BadMessage> {
    let ballot = ballot.ok_or(BadMessage("vote is missing"))?;
    Ok(match ballot.committed {
        true => Vote::new_committed(ballot.term, ballot.node),
        false => Vote::new(ballot.term, ballot.node),
    })
}

pub fn membership_to(membership: &Membership) -> pb::Membership {
    let voters = |set: &BTreeSet<u64>| pb::Voters { nodes: set.iter().copied().collect() };
    let member =
        |(id, node): (&u64, &PeerNode)| pb::Member { node: *id, address: node.addr.clone() };
    pb::Membership {
        configs: membership.get_joint_config().iter().map(voters).collect(),
        members: membership.nodes().map(member).collect(),
    }
}

pub fn membership_from(wire: pb::Membership) -> Result<Membership, BadMessage> {
    if wire.configs.len() > 2 || wire.members.len() > MAX_MEMBERS {
        return Err(BadMessage("membership is too large"));
    }
    if wire.configs.is_empty() && wire.members.is_empty() {
        return Ok(Membership::default());
    }
    let configs: Vec<BTreeSet<u64>> =
        wire.configs.into_iter().map(|voters| voters.nodes.into_iter().collect()).collect();
    let nodes: BTreeMap<u64, PeerNode> = wire
        .members
        .into_iter()
        .map(|member| (member.node, PeerNode { addr: member.address }))
        .collect();
    Membership::new(configs, nodes).map_err(|_| BadMessage("membership"))
}

pub fn entry_to(entry: &Entry) -> pb::LogEntry {
    use pb::log_entry::Payload;
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank(pb::Done {}),
        EntryPayload::Normal(command) => Payload::Command(command.0.clone()),
        EntryPayload::Membership(membership) => Payload::Membership(membership_to(membership)),
    };
    pb::LogEntry { id: Some(log_id_to(&entry.log_id)), payload: Some(payload) }
}

fn entry_from(wire: pb::LogEntry) -> Result<Entry, BadMessage> {
    use pb::log_entry::Payload;
    let log_id = log_id_from(wire.id.ok_or(BadMessage("entry without an id"))?);
    let payload = match wire.payload.ok_or(BadMessage("entry without a payload"))? {
        Payload::Blank(_) => EntryPayload::Blank,
        Payload::Command(bytes) => EntryPayload::Normal(CommandBytes(bytes)),
        Payload::Membership(membership) => EntryPayload::Membership(membership_from(membership)?),
    };
    Ok(Entry { log_id, payload })
}

pub fn append_to(
    session: u64,
    first: bool,
    request: &AppendEntriesRequest<TypeConfig>,
) -> pb::Append {
    pb::Append {
        session,
        first,
        end: false,
        vote: Some(ballot_to(&request.vote)),
        previous: request.prev_log_id.as_ref().map(log_id_to),
        entries: request.entries.iter().map(entry_to).collect(),
        leader_commit: request.leader_commit.as_ref().map(log_id_to),
    }
}

pub fn append_from(wire: pb::Append) -> Result<AppendEntriesRequest<TypeConfig>, BadMessage> {
    let previous = wire.previous.map(log_id_from);
    let entries = wire.entries.into_iter().map(entry_from).collect::<Result<Vec<_>, _>>()?;
    // Raft relies on entries that follow each other; a peer must not be able to break that.
    let mut last = previous.as_ref().map(|id| id.index());
    for entry in &entries {
        let index = entry.log_id.index();
        if last.is_some_and(|last| last.checked_add(1) != Some(index)) {
            return Err(BadMessage("entries do not follow each other"));
        }
        last = Some(index);
    }
    Ok(AppendEntriesRequest {
        vote: ballot_from(wire.vote)?,
        prev_log_id: previous,
        entries,
        leader_commit: wire.leader_commit.map(log_id_from),
    })
}

pub fn appended_to(outcome: &AppendOutcome) -> pb::Appended {
    use pb::appended::Outcome;
    let outcome = match outcome {
        Ok(Some(upto)) => Outcome::Upto(log_id_to(upto)),
        Ok(None) => Outcome::Nothing(pb::Done {}),
        Err(StreamAppendError::Conflict(at)) => Outcome::Conflict(log_id_to(at)),
        Err(StreamAppendError::HigherVote(vote)) => Outcome::HigherVote(ballot_to(vote)),
    };
    pb::Appended { outcome: Some(outcome) }
}

pub fn appended_from(wire: pb::Appended) -> Result<AppendOutcome, BadMessage> {
    use pb::appended::Outcome;
    Ok(match wire.outcome.ok_or(BadMessage("append outcome is missing"))? {
        Outcome::Upto(upto) => Ok(Some(log_id_from(upto))),
        Outcome::Nothing(_) => Ok(None),
        Outcome::Conflict(at) => Err(StreamAppendError::Conflict(log_id_from(at))),
        Outcome::HigherVote(vote) => Err(StreamAppendError::HigherVote(ballot_from(Some(vote))?)),
    })
}

pub fn vote_to(pre: bool, request: &VoteRequest<TypeConfig>) -> pb::Vote {
    pb::Vote {
        vote: Some(ballot_to(&request.vote)),
        last_log: request.last_log_id.as_ref().map(log_id_to),
        leadership_transfer: request.leadership_transfer,
        pre,
    }
}

pub fn vote_from(wire: pb::Vote) -> Result<VoteRequest<TypeConfig>, BadMessage> {
    let mut request = VoteRequest::new(ballot_from(wire.vote)?, wire.last_log.map(log_id_from));
    request.leadership_transfer = wire.leadership_transfer;
    Ok(request)
}

pub fn voted_to(response: &VoteResponse<TypeConfig>) -> pb::Voted {
    pb::Voted {
        vote: Some(ballot_to(&response.vote)),
        granted: response.vote_granted,
        last_log: response.last_log_id.as_ref().map(log_id_to),
    }
}

pub fn voted_from(wire: pb::Voted) -> Result<VoteResponse<TypeConfig>, BadMessage> {
    Ok(VoteResponse::new(ballot_from(wire.vote)?, wire.last_log.map(log_id_from), wire.granted))
}

pub fn snapshot_meta_to(meta: &SnapshotMetaOf<TypeConfig>) -> pb::SnapshotMeta {
    pb::SnapshotMeta {
        last_log: meta.last_log_id.as_ref().map(log_id_to),
        membership_log: meta.last_membership.log_id().as_ref().map(log_id_to),
        membership: Some(membership_to(meta.last_membership.membership())),
    }
}

pub fn snapshot_meta_from(
    wire: pb::SnapshotMeta,
) -> Result<SnapshotMetaOf<TypeConfig>, BadMessage> {
    let membership = membership_from(wire.membership.unwrap_or_default())?;
    Ok(SnapshotMetaOf::<TypeConfig> {
        last_log_id: wire.last_log.map(log_id_from),
        last_membership: StoredMembership::new(wire.membership_log.map(log_id_from), membership),
    })
}

pub fn transfer_to(request: &TransferLeaderRequest<TypeConfig>) -> pb::TransferLeader {
    pb::TransferLeader {
        from: Some(ballot_to(request.from_leader())),
        to: *request.to_node_id(),
        last_log: request.last_log_id().map(log_id_to),
    }
}

pub fn transfer_from(
    wire: pb::TransferLeader,
) -> Result<TransferLeaderRequest<TypeConfig>, BadMessage> {
    Ok(TransferLeaderRequest::new(ballot_from(wire.from)?, wire.to, wire.last_log.map(log_id_from)))
}
