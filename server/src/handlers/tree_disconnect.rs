//! TREE_DISCONNECT ([MS-SMB2] 3.3.5.8): the tree connect's opens are closed, persistent ones too.

use holdfast_proto::msg::{TreeDisconnectRequest, TreeDisconnectResponse};

use crate::dispatch::{HandlerResult, PipeContext, Reply, RequestContext};
use crate::session::end_tree;

/// Ends a tree connect to a share of files.
pub async fn handle(context: RequestContext, _request: TreeDisconnectRequest) -> HandlerResult {
    end_tree(&context.node, &context.session, context.tree.id).await;
    Ok(Reply::success(TreeDisconnectResponse))
}

/// Ends a tree connect to IPC$.
pub async fn handle_ipc(context: PipeContext, _request: TreeDisconnectRequest) -> HandlerResult {
    end_tree(&context.node, &context.session, context.tree).await;
    Ok(Reply::success(TreeDisconnectResponse))
}
