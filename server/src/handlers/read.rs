//! READ ([MS-SMB2] 3.3.5.12).

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::read::{Channel, ReadRequest, ReadResponse};
use holdfast_proto::types::{AccessMask, CreateOptions};

use crate::dispatch::{HandlerResult, Reply, RequestContext};
use crate::gate::Io;
use crate::io;
use crate::limits;
use crate::session::LocalOpen;

/// What unbuffered I/O has to be aligned to ([MS-FSA] 2.1.5.3).
pub const SECTOR: u64 = 512;

/// Serves a READ of a file.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: ReadRequest,
) -> HandlerResult {
    let end = check(&open, &request)?;
    let gate = &ctx.node.gate;
    let (permit, _) = io::enter(&ctx, &open, &Io::Read(request.offset..end)).await?;
    let read = open.handle.read_at(request.offset, request.length).await;
    gate.leave(permit).await?;
    let data = read?;
    if (data.is_empty() && request.length > 0) || data.len() < request.minimum_count as usize {
        return Err(NtStatus::END_OF_FILE.into());
    }
    open.state.lock().position = request.offset + data.len() as u64;
    let response = ReadResponse { data, ..ReadResponse::default() };
    Ok(Reply::success(response))
}

/// Refuses what cannot be read; returns where the range ends.
fn check(open: &LocalOpen, request: &ReadRequest) -> Result<u64, NtStatus> {
    if request.length > limits::MAX_IO_SIZE || request.channel != Channel::NONE {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if open.directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST);
    }
    if !open.access.intersects(AccessMask::READ_DATA | AccessMask::EXECUTE) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    check_range(open, request.offset, u64::from(request.length))
}

/// Offsets are signed on the storage; unbuffered I/O is aligned.
pub(super) fn check_range(open: &LocalOpen, offset: u64, length: u64) -> Result<u64, NtStatus> {
    let end = offset.checked_add(length).filter(|end| *end <= i64::MAX as u64);
    let end = end.ok_or(NtStatus::INVALID_PARAMETER)?;
    let unbuffered = open.create_options.contains(CreateOptions::NO_INTERMEDIATE_BUFFERING);
    if unbuffered && (!offset.is_multiple_of(SECTOR) || !length.is_multiple_of(SECTOR)) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(end)
}
