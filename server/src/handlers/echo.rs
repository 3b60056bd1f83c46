//! ECHO ([MS-SMB2] 3.3.5.17).

use holdfast_proto::msg::{EchoRequest, EchoResponse};

use crate::dispatch::{ConnectionContext, HandlerResult, Reply};

/// Answers that the server lives.
pub async fn handle(_context: ConnectionContext, _request: EchoRequest) -> HandlerResult {
    Ok(Reply::success(EchoResponse))
}
