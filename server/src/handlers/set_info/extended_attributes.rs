//! FileFullEaInformation ([MS-FSCC] 2.4.16).

use bytes::Bytes;
use holdfast_proto::types::AccessMask;

use super::need;
use crate::dispatch::{Failure, RequestContext};
use crate::gate::Io;
use crate::handlers::extended_attributes::{self, Attributes};
use crate::session::LocalOpen;
use crate::vfs::VfsResult;

pub(super) async fn set(
    ctx: &RequestContext,
    open: &LocalOpen,
    list: &Bytes,
) -> Result<(), Failure> {
    need(open, AccessMask::WRITE_EA)?;
    let attributes = extended_attributes::parse(list)?;
    let gate = &ctx.node.gate;
    let permit = gate.enter(open.open, open.file, &Io::Other).await?;
    let done = carry_out(open, attributes).await;
    gate.leave(permit).await?;
    done?;
    Ok(())
}

async fn carry_out(open: &LocalOpen, attributes: Attributes) -> VfsResult<()> {
    for (name, value) in attributes {
        open.handle.set_extended_attribute(&name, value).await?;
    }
    if open.stable_writes {
        open.handle.sync().await?;
    }
    Ok(())
}
