//! QUERY_INFO ([MS-SMB2] 3.3.5.20).

mod extended_attributes;
mod file;
mod filesystem;
mod security;

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::info::{Fit, Information};
use holdfast_proto::msg::query_info::{InfoType, QueryInfoRequest, QueryInfoResponse};

use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::gate::Io;
use crate::limits;
use crate::session::LocalOpen;

/// Information that was gathered, as far as it fits.
pub(super) struct Answer {
    status: NtStatus,
    output: Bytes,
}

/// Serves a QUERY_INFO of a file or directory.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: QueryInfoRequest,
) -> HandlerResult {
    if request.output_buffer_length > limits::MAX_IO_SIZE {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let gate = &ctx.node.gate;
    let permit = gate.enter(open.open, open.file, &Io::Other).await?;
    let answer = match request.info_type {
        InfoType::FILE => file::answer(&ctx, &open, &request).await,
        InfoType::FILESYSTEM => filesystem::answer(&ctx, &open, &request).await,
        InfoType::SECURITY => security::answer(&open, &request),
        // Quotas are not kept.
        InfoType::QUOTA => Err(NtStatus::NOT_SUPPORTED.into()),
        _ => Err(NtStatus::INVALID_PARAMETER.into()),
    };
    gate.leave(permit).await?;
    let answer = answer?;
    let response = QueryInfoResponse { output: answer.output };
    Ok(Reply::success(response).with_status(answer.status))
}

/// As much of the information as the client has room for (3.3.5.20.1).
fn fit(information: &impl Information, request: &QueryInfoRequest) -> Result<Answer, Failure> {
    match information.fit(request.output_buffer_length as usize) {
        Fit::Whole(output) => Ok(Answer { status: NtStatus::SUCCESS, output }),
        Fit::Cut(output) => Ok(Answer { status: NtStatus::BUFFER_OVERFLOW, output }),
        Fit::TooSmall => Err(Failure::info_length_mismatch()),
    }
}
