//! The answer to a CREATE ([MS-SMB2] 2.2.14).

use std::sync::Arc;

use holdfast_cluster::command::Durability;
use holdfast_cluster::outcome::{LeaseGrant, OpenGrant};
use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{
    CreateResponse, CreateResponseContexts, DurableHandleFlags, DurableHandleResponseV2,
    LeaseContext, LeaseFlags, LeaseV2, MaximalAccessResponse, OnDiskId,
};
use holdfast_proto::types::{AccessMask, FileId, LeaseState, OplockLevel};

use super::open_path::READONLY_FORBIDS;
use super::plan::Answers;
use crate::dispatch::{Given, HandlerResult, Reply, RequestContext};
use crate::gate::Io;
use crate::session::LocalOpen;
use crate::vfs::FileStat;

/// Reads what the answer tells of the file, and answers.
pub(super) async fn answer(
    ctx: &RequestContext,
    local: &Arc<LocalOpen>,
    grant: &OpenGrant,
    answers: Answers,
) -> HandlerResult {
    let gate = &ctx.node.gate;
    let permit = gate.enter(local.open, local.file, &Io::Other).await?;
    let stat = local.handle.stat().await;
    gate.leave(permit).await?;
    let response = response(ctx, local, grant, answers, &stat?);
    let given = Given::Open(response.file_id);
    Ok(Reply::success(response).giving(given).about(local.open))
}

fn response(
    ctx: &RequestContext,
    local: &LocalOpen,
    grant: &OpenGrant,
    answers: Answers,
    stat: &FileStat,
) -> CreateResponse {
    let contexts = CreateResponseContexts {
        durable_v2: durable(grant.durability),
        lease: grant.lease.as_ref().map(lease),
        max_access: answers.max_access.then_some(MaximalAccessResponse {
            query_status: NtStatus::SUCCESS,
            maximal_access: maximal_access(ctx, stat),
        }),
        query_on_disk_id: answers
            .on_disk_id
            .then(|| OnDiskId { disk_file_id: stat.index_number(), volume_id: stat.key.volume.0 }),
        ..CreateResponseContexts::default()
    };
    CreateResponse {
        oplock_level: oplock_level(grant),
        create_action: grant.action,
        creation_time: stat.times.creation,
        last_access_time: stat.times.access,
        last_write_time: stat.times.write,
        change_time: stat.times.change,
        allocation_size: stat.allocated,
        end_of_file: stat.len,
        file_attributes: stat.attributes,
        file_id: FileId { persistent: local.open.open.0, volatile: local.volatile },
        contexts,
        ..CreateResponse::default()
    }
}

/// What the user would be granted who asks for all that there is.
fn maximal_access(ctx: &RequestContext, stat: &FileStat) -> AccessMask {
    match stat.is_read_only_file() {
        true => ctx.tree.maximal_access.without(READONLY_FORBIDS),
        false => ctx.tree.maximal_access,
    }
}

fn oplock_level(grant: &OpenGrant) -> OplockLevel {
    match &grant.lease {
        Some(_) => OplockLevel::LEASE,
        None => OplockLevel(grant.oplock),
    }
}

/// 3.3.5.9.10: only an open that is durable is said to be so.
fn durable(durability: Durability) -> Option<DurableHandleResponseV2> {
    let (timeout_millis, flags) = match durability {
        Durability::None => return None,
        Durability::Durable { timeout_millis } => (timeout_millis, DurableHandleFlags::NONE),
        Durability::Persistent { timeout_millis } => {
            (timeout_millis, DurableHandleFlags::PERSISTENT)
        }
    };
    let timeout = u32::try_from(timeout_millis).unwrap_or(u32::MAX);
    Some(DurableHandleResponseV2 { timeout, flags })
}

fn lease(grant: &LeaseGrant) -> LeaseContext {
    let mut flags = LeaseFlags::NONE;
    if grant.breaking {
        flags |= LeaseFlags::BREAK_IN_PROGRESS;
    }
    if grant.parent_key.is_some() {
        flags |= LeaseFlags::PARENT_LEASE_KEY_SET;
    }
    LeaseContext {
        lease_key: grant.key,
        lease_state: grant.state & LeaseState::RWH,
        flags,
        v2: (grant.version == 2).then(|| LeaseV2 {
            parent_lease_key: grant.parent_key.unwrap_or_default(),
            epoch: grant.epoch,
        }),
    }
}
