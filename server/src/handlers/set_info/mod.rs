//! SET_INFO ([MS-SMB2] 3.3.5.21): a file for each class that is more than a value.

mod basic;
mod disposition;
mod extended_attributes;
mod rename;
mod size;

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::info::file::{FileModeInformation, FilePositionInformation};
use holdfast_proto::info::{FileInformationClass as Class, Information};
use holdfast_proto::msg::set_info::{InfoType, SetInfoRequest, SetInfoResponse};
use holdfast_proto::types::AccessMask;
use holdfast_proto::wire::Reader;

use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::session::LocalOpen;

/// The bits of FileModeInformation that can be set ([MS-FSCC] 2.4.31).
const MODE_BITS: u32 = 0x0000_103E;

/// Serves a SET_INFO of a file or directory.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: SetInfoRequest,
) -> HandlerResult {
    if ctx.tree.settings.read_only {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    match request.info_type {
        InfoType::FILE => set_file(&ctx, &open, &request).await?,
        // Labels, quotas and access control lists are not kept.
        InfoType::FILESYSTEM | InfoType::SECURITY | InfoType::QUOTA => {
            return Err(NtStatus::NOT_SUPPORTED.into());
        }
        _ => return Err(NtStatus::INVALID_PARAMETER.into()),
    }
    Ok(Reply::success(SetInfoResponse))
}

async fn set_file(
    ctx: &RequestContext,
    open: &LocalOpen,
    request: &SetInfoRequest,
) -> Result<(), Failure> {
    match Class(request.file_info_class) {
        Class::BASIC => basic::set(ctx, open, parse(request)?).await,
        Class::RENAME => rename::set(ctx, open, parse(request)?).await,
        Class::DISPOSITION => disposition::set(ctx, open, parse(request)?).await,
        Class::DISPOSITION_EX => disposition::set_ex(ctx, open, parse(request)?).await,
        Class::END_OF_FILE => size::set_end_of_file(ctx, open, parse(request)?).await,
        Class::ALLOCATION => size::set_allocation(ctx, open, parse(request)?).await,
        Class::FULL_EA => extended_attributes::set(ctx, open, &request.buffer).await,
        Class::POSITION => set_position(open, parse(request)?),
        Class::MODE => set_mode(open, parse(request)?),
        Class::LINK | Class::LINK_EX | Class::RENAME_EX | Class::VALID_DATA_LENGTH => {
            Err(NtStatus::NOT_SUPPORTED.into())
        }
        _ => Err(NtStatus::INVALID_INFO_CLASS.into()),
    }
}

/// A buffer that is too short for its class is refused by its length; what is in it and cannot
/// be (a name's length that is odd, or longer than the rest) is a wrong parameter.
fn parse<T: Information>(request: &SetInfoRequest) -> Result<T, NtStatus> {
    T::decode(&mut Reader::of(&request.buffer)).map_err(|_| match request.buffer.len() {
        length if length < T::MINIMUM => NtStatus::INFO_LENGTH_MISMATCH,
        _ => NtStatus::INVALID_PARAMETER,
    })
}

/// What an open must be able to do.
fn need(open: &LocalOpen, access: AccessMask) -> Result<(), NtStatus> {
    if open.access.intersects(access) { Ok(()) } else { Err(NtStatus::ACCESS_DENIED) }
}

fn set_position(open: &LocalOpen, information: FilePositionInformation) -> Result<(), Failure> {
    let offset = u64::try_from(information.current_byte_offset);
    open.state.lock().position = offset.map_err(|_| NtStatus::INVALID_PARAMETER)?;
    Ok(())
}

fn set_mode(open: &LocalOpen, information: FileModeInformation) -> Result<(), Failure> {
    if information.mode & !MODE_BITS != 0 {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    open.state.lock().mode = information.mode;
    Ok(())
}
