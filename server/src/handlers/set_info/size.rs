//! FileEndOfFileInformation and FileAllocationInformation ([MS-FSCC] 2.4.13, 2.4.4).

use holdfast_proto::NtStatus;
use holdfast_proto::info::file::{FileAllocationInformation, FileEndOfFileInformation};
use holdfast_proto::types::AccessMask;

use super::need;
use crate::dispatch::{Failure, RequestContext};
use crate::gate::Io;
use crate::io;
use crate::session::LocalOpen;
use crate::vfs::VfsResult;

#[derive(Clone, Copy)]
enum Size {
    EndOfFile(u64),
    Allocation(u64),
}

pub(super) async fn set_end_of_file(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileEndOfFileInformation,
) -> Result<(), Failure> {
    set(ctx, open, Size::EndOfFile(read(information.end_of_file)?)).await
}

pub(super) async fn set_allocation(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileAllocationInformation,
) -> Result<(), Failure> {
    set(ctx, open, Size::Allocation(read(information.allocation_size)?)).await
}

fn read(size: i64) -> Result<u64, NtStatus> {
    u64::try_from(size).map_err(|_| NtStatus::INVALID_PARAMETER)
}

async fn set(ctx: &RequestContext, open: &LocalOpen, size: Size) -> Result<(), Failure> {
    if open.directory {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    need(open, AccessMask::WRITE_DATA)?;
    let (permit, broken) = io::enter(ctx, open, &Io::Resize).await?;
    let done = carry_out(open, size).await;
    ctx.node.gate.leave(permit).await?;
    done?;
    broken.wait_told(ctx).await;
    Ok(())
}

async fn carry_out(open: &LocalOpen, size: Size) -> VfsResult<()> {
    match size {
        Size::EndOfFile(length) => open.handle.set_len(length).await?,
        Size::Allocation(length) => open.handle.allocate(length).await?,
    }
    if open.stable_writes {
        open.handle.sync().await?;
    }
    Ok(())
}
