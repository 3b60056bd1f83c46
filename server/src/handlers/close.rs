//! CLOSE ([MS-SMB2] 3.3.5.10).

use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::NtStatus;
use holdfast_proto::msg::close::{CloseFlags, CloseRequest, CloseResponse};
use tracing::warn;

use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::duties;
use crate::gate::Io;
use crate::in_hand::Matter;
use crate::session::LocalOpen;
use crate::vfs::{FileStat, VfsError};

/// Serves a CLOSE of a file or directory.
pub async fn handle(
    ctx: RequestContext,
    open: std::sync::Arc<LocalOpen>,
    request: CloseRequest,
) -> HandlerResult {
    let stat = match request.flags.contains(CloseFlags::POSTQUERY_ATTRIB) {
        // An open that cannot be looked at any more is closed all the same; its attributes are
        // zeros then (3.3.5.10).
        true => last_look(&ctx, &open).await?,
        false => None,
    };
    let _held = ctx.node.in_hand.hold(Matter::Open(open.open)).await;
    if ctx.session.remove_open(open.volatile).is_none() {
        // Another CLOSE, or the session's end, was first.
        return Err(NtStatus::FILE_CLOSED.into());
    }
    ctx.node.gate.seal(open.open);
    ctx.node.gate.drain_open(open.open).await;
    let command = Command::CloseOpen { open: open.open, abandoned: false };
    match ctx.node.cluster.submit(command).await? {
        Outcome::Closed { duty: Some(duty) } => {
            // Whether the name could be removed is not what CLOSE answers.
            let _ = duties::run(&ctx.node, &duty).await;
        }
        Outcome::Refused(Refusal::StaleOpen) => return Err(NtStatus::FILE_CLOSED.into()),
        Outcome::Refused(refusal) => return Err(refusal.into()),
        _ => {}
    }
    Ok(Reply::success(response(request.flags, stat.as_ref())))
}

async fn last_look(ctx: &RequestContext, open: &LocalOpen) -> Result<Option<FileStat>, Failure> {
    let permit = ctx.node.gate.enter(open.open, open.file, &Io::Other).await?;
    let stat = open.handle.stat().await;
    ctx.node.gate.leave(permit).await?;
    match stat {
        Ok(stat) => Ok(Some(stat)),
        // Nothing that this node says counts any more.
        Err(VfsError::Fenced) => Err(Failure::Fenced),
        Err(error) => {
            warn!(open = %open.open.open, %error, "closed without a last look");
            Ok(None)
        }
    }
}

fn response(flags: CloseFlags, stat: Option<&FileStat>) -> CloseResponse {
    let Some(stat) = stat else { return CloseResponse::default() };
    CloseResponse {
        flags: flags & CloseFlags::POSTQUERY_ATTRIB,
        creation_time: stat.times.creation,
        last_access_time: stat.times.access,
        last_write_time: stat.times.write,
        change_time: stat.times.change,
        allocation_size: stat.allocated,
        end_of_file: stat.len,
        file_attributes: stat.attributes,
    }
}
