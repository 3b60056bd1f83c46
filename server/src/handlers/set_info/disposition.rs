//! FileDispositionInformation ([MS-FSCC] 2.4.11): the name goes with the last open.

use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::NtStatus;
use holdfast_proto::info::file::{
    DispositionFlags, FileDispositionInformation, FileDispositionInformationEx,
};
use holdfast_proto::types::{AccessMask, FileAttributes};

use super::need;
use crate::barrier;
use crate::dispatch::{Failure, RequestContext};
use crate::gate::Io;
use crate::handlers::create::settle::{Settled, settle};
use crate::session::LocalOpen;
use crate::vfs::Listing;

pub(super) async fn set(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileDispositionInformation,
) -> Result<(), Failure> {
    set_pending(ctx, open, information.delete_pending, false).await
}

/// Only what the older class can say is served.
pub(super) async fn set_ex(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileDispositionInformationEx,
) -> Result<(), Failure> {
    let served = DispositionFlags::DELETE | DispositionFlags::IGNORE_READONLY_ATTRIBUTE;
    if !information.flags.without(served).is_empty() {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    let ignore = information.flags.contains(DispositionFlags::IGNORE_READONLY_ATTRIBUTE);
    set_pending(ctx, open, information.flags.contains(DispositionFlags::DELETE), ignore).await
}

async fn set_pending(
    ctx: &RequestContext,
    open: &LocalOpen,
    pending: bool,
    ignore_readonly: bool,
) -> Result<(), Failure> {
    need(open, AccessMask::DELETE)?;
    if open.file == ctx.tree.root.key {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    if pending {
        check_deletable(ctx, open, ignore_readonly).await?;
    }
    let command = Command::SetDeletePending { open: open.open, pending };
    match settle(&ctx.node, &ctx.pending, command).await? {
        Settled::Refused(refusal) => return Err(refusal.into()),
        Settled::Decided(Outcome::DeletePendingSet { barrier, changed }) => {
            if barrier::pass(&ctx.node, &barrier).await.is_err() {
                // Nothing may rest on it that not every node knows; what was so before stays.
                if changed {
                    let undo = Command::SetDeletePending { open: open.open, pending: !pending };
                    ctx.node.cluster.submit(undo).await?;
                }
                return Err(Failure::NotReady);
            }
        }
        Settled::Decided(_) => {}
    }
    Ok(())
}

/// [MS-FSA] 2.1.5.15.3: a file that may not go, and a directory that holds something.
async fn check_deletable(
    ctx: &RequestContext,
    open: &LocalOpen,
    ignore_readonly: bool,
) -> Result<(), Failure> {
    let gate = &ctx.node.gate;
    let permit = gate.enter(open.open, open.file, &Io::Other).await?;
    let stat = open.handle.stat().await;
    let inside =
        if open.directory { open.handle.list(None, 1).await } else { Ok(Listing::default()) };
    gate.leave(permit).await?;
    if stat?.attributes.contains(FileAttributes::READONLY) && !ignore_readonly {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    if !inside?.entries.is_empty() {
        return Err(NtStatus::DIRECTORY_NOT_EMPTY.into());
    }
    Ok(())
}
