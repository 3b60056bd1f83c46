//! One file per opcode: plan (pure), execute (the only await), respond (pure).

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::IoctlRequest;

use crate::dispatch::{HandlerResult, RequestContext};
use crate::session::LocalOpen;

pub mod echo;
pub mod logoff;
pub mod negotiate;
pub mod session_setup;
pub mod tree_connect;
pub mod tree_disconnect;

/// For opcodes that shares of files do not serve.
pub(crate) async fn unserved<R>(
    _context: RequestContext,
    _open: Arc<LocalOpen>,
    _request: R,
) -> HandlerResult {
    Err(NtStatus::NOT_SUPPORTED.into())
}

/// As [`unserved`], for opcodes without an open.
pub(crate) async fn unserved_tree<R>(_context: RequestContext, _request: R) -> HandlerResult {
    Err(NtStatus::NOT_SUPPORTED.into())
}

/// As [`unserved`], for IOCTL.
pub(crate) async fn unserved_ioctl(
    _context: RequestContext,
    _open: Option<Arc<LocalOpen>>,
    _request: IoctlRequest,
) -> HandlerResult {
    Err(NtStatus::NOT_SUPPORTED.into())
}
