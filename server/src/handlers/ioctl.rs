//! IOCTL ([MS-SMB2] 3.3.5.15) on a share of files.

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::fsctl::CtlCode;
use holdfast_proto::msg::ioctl::{IoctlFlags, IoctlRequest};

use crate::dispatch::{Failure, HandlerResult, RequestContext};
use crate::session::LocalOpen;

/// Serves an IOCTL of a file, directory or tree connect.
pub async fn handle(
    _ctx: RequestContext,
    open: Option<Arc<LocalOpen>>,
    request: IoctlRequest,
) -> HandlerResult {
    if !request.flags.contains(IoctlFlags::IS_FSCTL) {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    Err(match request.ctl_code {
        // 3.3.5.15.12: on 3.1.1 the pre-authentication hash has said it all; whoever asks is no
        // client of that dialect.
        CtlCode::VALIDATE_NEGOTIATE_INFO => {
            Failure::Disconnect("VALIDATE_NEGOTIATE_INFO on a 3.1.1 connection")
        }
        // 3.3.5.15.2: there is no distributed namespace here.
        CtlCode::DFS_GET_REFERRALS | CtlCode::DFS_GET_REFERRALS_EX => {
            NtStatus::FS_DRIVER_REQUIRED.into()
        }
        // Every other control is one of an open.
        _ if open.is_none() => NtStatus::FILE_CLOSED.into(),
        _ => NtStatus::INVALID_DEVICE_REQUEST.into(),
    })
}
