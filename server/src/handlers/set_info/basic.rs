//! FileBasicInformation ([MS-FSCC] 2.4.7): times and attributes.

use holdfast_proto::NtStatus;
use holdfast_proto::info::file::FileBasicInformation;
use holdfast_proto::types::{AccessMask, FileAttributes, FileTime};

use super::need;
use crate::dispatch::{Failure, RequestContext};
use crate::gate::Io;
use crate::session::LocalOpen;
use crate::vfs::{SetTimes, VfsResult};

pub(super) async fn set(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileBasicInformation,
) -> Result<(), Failure> {
    need(open, AccessMask::WRITE_ATTRIBUTES)?;
    check(open, &information)?;
    let gate = &ctx.node.gate;
    let permit = gate.enter(open.open, open.file, &Io::Other).await?;
    let done = carry_out(open, &information).await;
    gate.leave(permit).await?;
    done?;
    Ok(())
}

fn check(open: &LocalOpen, information: &FileBasicInformation) -> Result<(), NtStatus> {
    let attributes = information.attributes;
    let wrong_kind = attributes.contains(FileAttributes::DIRECTORY) && !open.directory
        || attributes.contains(FileAttributes::TEMPORARY) && open.directory;
    let times = [
        information.creation_time,
        information.last_access_time,
        information.last_write_time,
        information.change_time,
    ];
    // [MS-FSA] 2.1.5.15.2: -1 and -2 are the only negative times that mean anything.
    let no_time = times.iter().any(|time| (time.0 as i64) < -2);
    if wrong_kind || no_time { Err(NtStatus::INVALID_PARAMETER) } else { Ok(()) }
}

async fn carry_out(open: &LocalOpen, information: &FileBasicInformation) -> VfsResult<()> {
    if !information.attributes.is_empty() {
        open.handle.set_attributes(information.attributes).await?;
    }
    let times = SetTimes {
        creation: given(information.creation_time),
        access: given(information.last_access_time),
        write: given(information.last_write_time),
    };
    if times != SetTimes::default() {
        open.handle.set_times(times).await?;
    }
    if open.stable_writes {
        open.handle.sync().await?;
    }
    Ok(())
}

/// 0 leaves a time alone; -1 and -2 are about later automatic updates, not about a value.
fn given(time: FileTime) -> Option<FileTime> {
    let special = time == FileTime::UNCHANGED || time.0 > i64::MAX as u64;
    (!special).then_some(time)
}
