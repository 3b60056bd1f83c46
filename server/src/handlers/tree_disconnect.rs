//! TREE_DISCONNECT ([MS-SMB2] 3.3.5.8): the tree connect's opens are closed, persistent ones too.

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::{TreeDisconnectRequest, TreeDisconnectResponse};

use crate::dispatch::{HandlerResult, PipeContext, Reply, RequestContext};
use crate::node::Node;
use crate::session::{Session, end_tree};

/// Ends a tree connect to a share of files.
pub async fn handle(context: RequestContext, _request: TreeDisconnectRequest) -> HandlerResult {
    end(&context.node, &context.session, context.tree.id).await
}

/// Ends a tree connect to IPC$.
pub async fn handle_ipc(context: PipeContext, _request: TreeDisconnectRequest) -> HandlerResult {
    end(&context.node, &context.session, context.tree).await
}

async fn end(node: &Node, session: &Arc<Session>, tree: u32) -> HandlerResult {
    match end_tree(node, session, tree).await {
        true => Ok(Reply::success(TreeDisconnectResponse)),
        // Another TREE_DISCONNECT was first.
        false => Err(NtStatus::NETWORK_NAME_DELETED.into()),
    }
}
