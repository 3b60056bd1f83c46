//! LOGOFF ([MS-SMB2] 3.3.5.6): the session ends; its durable opens stay for their client.

use holdfast_cluster::command::EndHow;
use holdfast_proto::msg::{LogoffRequest, LogoffResponse};

use crate::dispatch::{HandlerResult, Reply, SessionContext};
use crate::session::end_session;

/// Ends the session.
pub async fn handle(context: SessionContext, _request: LogoffRequest) -> HandlerResult {
    end_session(&context.node, &context.session, EndHow::LogOff).await;
    Ok(Reply::success(LogoffResponse))
}
