//! Log entries.

use bytes::Bytes;
use holdfast_proto::pb::log as pb;
use prost::Message;

use super::record::{choice, record};
use super::value::Encoded;
use super::{ENTRY_FORMAT, EncodingError};
use crate::command::Command;
use crate::state::Entry;

choice!(Command => pb::Command, pb::command::Kind {
    Tick(pb::Tick) {},
    FoundCluster(pb::FoundCluster) { cluster_id: bare, server_guid: bare, name: bare, timers: msg },
    JoinNode(pb::JoinNode) { node: bare, identity: msg, proof: msg },
    LeaveNode(pb::LeaveNode) { life: msg },
    SuspectNode(pb::SuspectNode) { life: msg, fencer: bare },
    ClearSuspicion(pb::ClearSuspicion) { life: msg },
    FenceNode(pb::FenceNode) { life: msg, proof: msg },
    PutShare(pb::PutShare) { settings: msg, replace: bare },
    RemoveShare(pb::RemoveShare) { name: bare },
    PutUser(pb::PutUser) { settings: msg, replace: bare },
    RemoveUser(pb::RemoveUser) { name: bare },
    SetEncryption(pb::SetEncryption) { required: bare },
    JudgeVolume(pb::JudgeVolume) { volume: bare, unfit: opt },
    LogOn(pb::LogOn) { life: msg, session: bare, user: bare, client_guid: bare, dialect: bare },
    EndSession(pb::EndSession) { session: bare, how: bare },
    OpenFile(pb::OpenFile) { terms: msg, file: msg, place: msg, directory: bare },
    BeginCreate(pb::BeginCreate) { terms: msg, place: msg, target: opt, directory: bare },
    GrantCreate(pb::GrantCreate) { intent: bare, file: msg, action: bare, place: msg },
    FailCreate(pb::FailCreate) { intent: bare },
    ReconnectOpen(pb::ReconnectOpen) {
        open: bare, session: bare, client_guid: bare, owner: msg, share: bare, create_guid: bare,
        persistent: bare, lease: opt, path: bare, channel_sequence: bare
    },
    ReleaseOpen(pb::ReleaseOpen) { open: msg },
    CloseOpen(pb::CloseOpen) { open: msg, abandoned: bare },
    CloseOpens(pb::CloseOpens) { session: bare, opens: many },
    GrantEffective(pb::GrantEffective) { open: msg },
    BreakSent(pb::BreakSent) { life: msg, client_guid: bare, key: bare, epoch: bare },
    AckLeaseBreak(pb::AckLeaseBreak) { client_guid: bare, key: bare, state: bare },
    BreakForIo(pb::BreakForIo) { open: msg },
    WithdrawLease(pb::WithdrawLease) { client_guid: bare, key: bare, state: bare },
    Lock(pb::Lock) { open: msg, ranges: many, fail_immediately: bare, sequence: opt },
    Unlock(pb::Unlock) { open: msg, ranges: many, sequence: opt },
    WithdrawLock(pb::WithdrawLock) { open: msg, ranges: many, sequence: opt },
    CancelWait(pb::CancelWait) { wait: msg },
    SetDeletePending(pb::SetDeletePending) { open: msg, pending: bare },
    BeginRename(pb::BeginRename) { open: msg, to: msg, replace: opt, replace_if_exists: bare },
    EndDuty(pb::EndDuty) { duty: bare, done: bare },
    NoteSearch(pb::NoteSearch) { open: msg, pattern: bare, last_name: bare },
});

/// The bytes of an entry.
pub fn encode_entry(entry: &Entry) -> Bytes {
    let message = pb::Entry {
        format: ENTRY_FORMAT,
        elapsed_nanos: entry.elapsed_nanos,
        submit: Some(entry.submit.to_pb()),
        command: Some(entry.command.to_pb()),
    };
    message.encode_to_vec().into()
}

/// The entry that the bytes are. Whatever this version does not know is an error: the node that
/// meets it must stop and not skip it.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, EncodingError> {
    let message =
        pb::Entry::decode(bytes).map_err(|error| EncodingError::Malformed(error.to_string()))?;
    if message.format != ENTRY_FORMAT {
        return Err(EncodingError::UnknownFormat { found: message.format, known: ENTRY_FORMAT });
    }
    let submit = message.submit.ok_or(EncodingError::Missing("submit"))?;
    let command = message.command.ok_or(EncodingError::Missing("command"))?;
    let entry = Entry {
        elapsed_nanos: message.elapsed_nanos,
        submit: Encoded::from_pb(submit)?,
        command: Encoded::from_pb(command)?,
    };
    if encode_entry(&entry) != bytes {
        return Err(EncodingError::UnknownFields);
    }
    Ok(entry)
}
