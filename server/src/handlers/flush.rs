//! FLUSH ([MS-SMB2] 3.3.5.11).

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::flush::{FlushRequest, FlushResponse};
use holdfast_proto::types::AccessMask;

use crate::dispatch::{HandlerResult, Reply, RequestContext};
use crate::gate::Io;
use crate::session::LocalOpen;

/// Serves a FLUSH of a file or directory.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    _request: FlushRequest,
) -> HandlerResult {
    if !open.access.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let gate = &ctx.node.gate;
    let permit = gate.enter(open.open, open.file, &Io::Other).await?;
    let synced = open.handle.sync().await;
    gate.leave(permit).await?;
    synced?;
    Ok(Reply::success(FlushResponse))
}
