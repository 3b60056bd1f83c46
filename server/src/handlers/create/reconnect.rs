//! DH2C: an open that is asked for again, on this node or another ([MS-SMB2] 3.3.5.9.12).

use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::NtStatus;
use holdfast_proto::types::OpenId;

use super::attach::{self, Ownership};
use super::open_path::Attempt;
use super::plan::ReconnectPlan;
use super::settle::{Settled, settle};
use crate::dispatch::{HandlerResult, RequestContext};

/// How often an open changes hands before the client is told to try later.
const HANDS_MAX: usize = 16;

/// Serves a CREATE that asks for an open again.
pub async fn run(ctx: &RequestContext, plan: &ReconnectPlan) -> HandlerResult {
    for _ in 0..HANDS_MAX {
        match settle(&ctx.node, &ctx.pending, command(ctx, plan)).await? {
            Settled::Refused(refusal) => return Err(refusal.into()),
            Settled::Decided(Outcome::Granted(grant)) => {
                if attach::already_here(ctx, grant.open).is_some() {
                    return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
                }
                if let Attempt::Answered(answer) = attach::finish(ctx, *grant, plan.answers).await?
                {
                    return answer;
                }
            }
            Settled::Decided(Outcome::OwnedBy { open, owner, session }) => {
                let asked = attach::Asked { open, owner, session };
                if attach::ask_owner(ctx, asked).await? == Ownership::InUse {
                    return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
                }
            }
            Settled::Decided(other) => return Err(attach::unexpected("a reconnect", &other)),
        }
    }
    Err(NtStatus::FILE_NOT_AVAILABLE.into())
}

fn command(ctx: &RequestContext, plan: &ReconnectPlan) -> Command {
    let root = ctx.tree.root.path.components().map(str::to_owned);
    let path: Vec<String> = root.chain(plan.components.iter().cloned()).collect();
    Command::ReconnectOpen {
        open: OpenId(plan.file_id.persistent),
        session: ctx.session.id,
        client_guid: ctx.session.client_guid,
        owner: ctx.session.sid.clone(),
        share: ctx.tree.share,
        create_guid: plan.create_guid,
        persistent: plan.persistent,
        lease: plan.lease,
        path: path.join("/"),
        channel_sequence: ctx.info.channel_sequence,
    }
}
