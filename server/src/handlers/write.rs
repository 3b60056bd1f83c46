//! WRITE ([MS-SMB2] 3.3.5.13).

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::write::{Channel, WriteFlags, WriteRequest, WriteResponse};
use holdfast_proto::types::{AccessMask, CreateOptions};

use super::read::check_range;
use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::gate::Io;
use crate::io;
use crate::limits;
use crate::session::LocalOpen;
use crate::vfs::VfsError;

/// The offset that means "at the end of the file" ([MS-FSA] 2.1.5.4).
const AT_END: u64 = u64::MAX;

/// The farthest that data may stand from the beginning of the message (3.3.5.13).
const DATA_OFFSET_MAX: u16 = 0x100;

/// Serves a WRITE to a file.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: WriteRequest,
) -> HandlerResult {
    check(&open, &request)?;
    let length = request.data.len() as u64;
    let stable = open.stable_writes || request.flags.contains(WriteFlags::WRITE_THROUGH);
    let offset = match request.offset {
        AT_END => append(&ctx, &open, request.data, stable).await?,
        offset => {
            write(&ctx, &open, offset, request.data, stable).await?;
            offset
        }
    };
    open.state.lock().position = offset + length;
    let response = WriteResponse { count: length as u32, ..WriteResponse::default() };
    Ok(Reply::success(response))
}

/// What a WRITE to a file or a pipe must not say of where its data is.
pub(crate) fn check_place_and_channel(request: &WriteRequest) -> Result<(), NtStatus> {
    if request.channel != Channel::NONE || request.data_offset > DATA_OFFSET_MAX {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(())
}

fn check(open: &LocalOpen, request: &WriteRequest) -> Result<(), NtStatus> {
    check_place_and_channel(request)?;
    if request.data.len() > limits::MAX_IO_SIZE as usize {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // 3.3.5.13, for 3.0.2 and later.
    let through = request.flags.contains(WriteFlags::WRITE_THROUGH);
    let unbuffered = request.flags.contains(WriteFlags::WRITE_UNBUFFERED)
        || open.create_options.contains(CreateOptions::NO_INTERMEDIATE_BUFFERING);
    if through && !unbuffered {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if open.directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST);
    }
    let appends_only = !open.access.contains(AccessMask::WRITE_DATA);
    if appends_only && !open.access.contains(AccessMask::APPEND_DATA) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(())
}

async fn write(
    ctx: &RequestContext,
    open: &LocalOpen,
    offset: u64,
    data: Bytes,
    stable: bool,
) -> Result<(), Failure> {
    let end = check_range(open, offset, data.len() as u64)?;
    let (permit, broken) = io::enter(ctx, open, &Io::Write(offset..end)).await?;
    let written = open.handle.write_at(offset, data, stable).await;
    ctx.node.gate.leave(permit).await?;
    written?;
    broken.wait_told(ctx).await;
    Ok(())
}

/// Writes at the end of the file, wherever that is once the gate has let those bytes through;
/// returns where it was. Of several at once each finds its own.
async fn append(
    ctx: &RequestContext,
    open: &LocalOpen,
    data: Bytes,
    stable: bool,
) -> Result<u64, Failure> {
    loop {
        let permit = ctx.node.gate.enter(open.open, open.file, &Io::Other).await?;
        let stat = open.handle.stat().await;
        ctx.node.gate.leave(permit).await?;
        let offset = stat?.len;
        let end = check_range(open, offset, data.len() as u64)?;
        let (permit, broken) = io::enter(ctx, open, &Io::Write(offset..end)).await?;
        let written = open.handle.append_at(offset, data.clone(), stable).await;
        ctx.node.gate.leave(permit).await?;
        match written {
            Err(VfsError::EndMoved) => broken.wait_told(ctx).await,
            written => {
                written?;
                broken.wait_told(ctx).await;
                return Ok(offset);
            }
        }
    }
}
