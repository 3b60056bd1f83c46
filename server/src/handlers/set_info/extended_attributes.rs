//! FileFullEaInformation ([MS-FSCC] 2.4.16).

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::info::file::FileFullEaInformation;
use holdfast_proto::types::AccessMask;

use super::need;
use crate::dispatch::{Failure, RequestContext};
use crate::gate::Io;
use crate::session::LocalOpen;
use crate::vfs::VfsResult;

pub(super) async fn set(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileFullEaInformation,
) -> Result<(), Failure> {
    need(open, AccessMask::WRITE_EA)?;
    let mut attributes = Vec::with_capacity(information.0.len());
    for entry in information.0 {
        let name = String::from_utf8(entry.name).map_err(|_| NtStatus::INVALID_EA_NAME)?;
        attributes.push((name, Bytes::from(entry.value)));
    }
    let gate = &ctx.node.gate;
    let permit = gate.enter(open.open, open.file, &Io::Other).await?;
    let done = carry_out(open, attributes).await;
    gate.leave(permit).await?;
    done?;
    Ok(())
}

async fn carry_out(open: &LocalOpen, attributes: Vec<(String, Bytes)>) -> VfsResult<()> {
    for (name, value) in attributes {
        open.handle.set_extended_attribute(&name, value).await?;
    }
    if open.stable_writes {
        open.handle.sync().await?;
    }
    Ok(())
}
