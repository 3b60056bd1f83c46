//! WRITE ([MS-SMB2] 3.3.5.13).

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::write::{Channel, WriteFlags, WriteRequest, WriteResponse};
use holdfast_proto::types::AccessMask;

use super::read::check_range;
use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::gate::{Io, Permit};
use crate::io::{self, Broken};
use crate::limits;
use crate::session::LocalOpen;

/// The offset that means "at the end of the file" ([MS-FSA] 2.1.5.4).
const AT_END: u64 = u64::MAX;

/// Serves a WRITE to a file.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: WriteRequest,
) -> HandlerResult {
    check(&open, &request)?;
    let length = request.data.len() as u64;
    let stable = open.stable_writes || request.flags.contains(WriteFlags::WRITE_THROUGH);
    let (permit, broken, offset) = enter(&ctx, &open, &request).await?;
    let written = open.handle.write_at(offset, request.data, stable).await;
    ctx.node.gate.leave(permit).await?;
    written?;
    broken.wait_told(&ctx).await;
    open.state.lock().position = offset + length;
    let response = WriteResponse { count: length as u32, ..WriteResponse::default() };
    Ok(Reply::success(response))
}

fn check(open: &LocalOpen, request: &WriteRequest) -> Result<(), NtStatus> {
    if request.data.len() > limits::MAX_IO_SIZE as usize || request.channel != Channel::NONE {
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

/// Enters the gate for the bytes that the request will change. An append learns its offset here
/// and keeps it.
async fn enter(
    ctx: &RequestContext,
    open: &LocalOpen,
    request: &WriteRequest,
) -> Result<(Permit, Broken, u64), Failure> {
    let length = request.data.len() as u64;
    let offset = match request.offset {
        AT_END => {
            let permit = ctx.node.gate.enter(open.open, open.file, &Io::Other).await?;
            let stat = open.handle.stat().await;
            ctx.node.gate.leave(permit).await?;
            stat?.len
        }
        offset => offset,
    };
    let end = check_range(open, offset, length)?;
    let (permit, broken) = io::enter(ctx, open, &Io::Write(offset..end)).await?;
    Ok((permit, broken, offset))
}
