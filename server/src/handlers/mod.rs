//! One file per opcode: plan (pure), execute (the only await), respond (pure).

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::OplockBreakAcknowledgment;

use crate::dispatch::{HandlerResult, PipeContext, RequestContext};
use crate::pipes::PipeOpen;
use crate::session::LocalOpen;

pub mod close;
pub mod create;
pub mod echo;
mod extended_attributes;
pub mod flush;
pub mod ioctl;
pub mod lock;
pub mod logoff;
pub mod negotiate;
pub mod oplock_break;
pub mod query_directory;
pub mod query_info;
pub mod read;
pub mod session_setup;
pub mod set_info;
pub mod tree_connect;
pub mod tree_disconnect;
pub mod write;

/// For opcodes that shares of files do not serve.
pub(crate) async fn unserved<R>(
    _context: RequestContext,
    _open: Arc<LocalOpen>,
    _request: R,
) -> HandlerResult {
    Err(NtStatus::NOT_SUPPORTED.into())
}

/// For opcodes that mean nothing to a named pipe.
pub(crate) async fn not_for_pipes<R>(
    _context: PipeContext,
    _open: Arc<PipeOpen>,
    _request: R,
) -> HandlerResult {
    Err(NtStatus::INVALID_DEVICE_REQUEST.into())
}

/// An acknowledgement through IPC$, where nothing is ever leased.
pub(crate) async fn no_leases(
    _context: PipeContext,
    _request: OplockBreakAcknowledgment,
) -> HandlerResult {
    Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
}
