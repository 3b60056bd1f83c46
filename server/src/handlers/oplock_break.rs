//! OPLOCK_BREAK: acknowledgements ([MS-SMB2] 3.3.5.22).

use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::oplock_break::{
    LeaseBreak, OplockBreak, OplockBreakAcknowledgment, OplockBreakResponse,
};

use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::session::SessionOpen;

/// Serves an acknowledgement.
pub async fn handle(ctx: RequestContext, request: OplockBreakAcknowledgment) -> HandlerResult {
    match request {
        OplockBreakAcknowledgment::Lease(ack) => lease(&ctx, ack).await,
        OplockBreakAcknowledgment::Oplock(ack) => Err(oplock(&ctx, &ack)),
    }
}

/// 3.3.5.22.2: the lease is the client's, whichever of its connections and nodes this is.
async fn lease(ctx: &RequestContext, ack: LeaseBreak) -> HandlerResult {
    let command = Command::AckLeaseBreak {
        client_guid: ctx.session.client_guid,
        key: ack.lease_key,
        state: ack.lease_state,
    };
    match ctx.node.cluster.submit(command).await? {
        Outcome::Refused(refusal) => Err(refusal.into()),
        _ => {
            let response = LeaseBreak { flags: 0, ..ack };
            Ok(Reply::success(OplockBreakResponse::Lease(response)))
        }
    }
}

/// 3.3.5.22.1: no oplock is ever granted, so none is breaking.
fn oplock(ctx: &RequestContext, ack: &OplockBreak) -> Failure {
    match ctx.session.open(ack.file_id.volatile) {
        Some(SessionOpen::File(open)) if open.open.open.0 == ack.file_id.persistent => {
            NtStatus::INVALID_DEVICE_STATE.into()
        }
        _ => NtStatus::FILE_CLOSED.into(),
    }
}
