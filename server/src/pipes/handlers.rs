//! The opcodes that IPC$ serves ([MS-SMB2] 3.3.5.9 to 3.3.5.20, where they speak of pipes).

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::fsctl::CtlCode;
use holdfast_proto::msg::create::ImpersonationLevel;
use holdfast_proto::msg::ioctl::IoctlFlags;
use holdfast_proto::msg::query_info::InfoType;
use holdfast_proto::msg::write::WriteFlags;
use holdfast_proto::msg::{
    CloseRequest, CloseResponse, CreateRequest, CreateResponse, FileId, FlushRequest,
    FlushResponse, IoctlRequest, IoctlResponse, QueryInfoRequest, QueryInfoResponse, ReadRequest,
    ReadResponse, WriteRequest, WriteResponse,
};
use holdfast_proto::types::{CreateAction, FileAttributes, OpenId};
use holdfast_proto::wire::Writer;
use parking_lot::Mutex;

use super::channel::{Broken, Channel};
use super::{Facts, PipeOpen, Service};
use crate::dispatch::{Failure, Given, HandlerResult, PipeContext, Reply};
use crate::handlers::write::check_place_and_channel;
use crate::node::Node;
use crate::session::SessionOpen;
use crate::settings::Identity;

/// STATUS_PIPE_EMPTY ([MS-ERREF] 2.3.1).
const PIPE_EMPTY: NtStatus = NtStatus(0xC000_00D9);
/// FileStandardInformation, which some clients ask pipes for.
const FILE_STANDARD_INFORMATION: u8 = 5;
/// What pipes report as AllocationSize.
const PIPE_ALLOCATION: u64 = 4096;

/// Opens a pipe by name.
pub async fn create(context: PipeContext, request: CreateRequest) -> HandlerResult {
    // 3.3.5.9: nobody acts for a client elsewhere.
    if request.impersonation_level.0 >= ImpersonationLevel::DELEGATE.0 {
        return Err(NtStatus::BAD_IMPERSONATION_LEVEL.into());
    }
    let service = Service::by_name(&request.name).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let volatile = context.node.next_volatile();
    let pipe = PipeOpen {
        volatile,
        persistent: OpenId(u64::MAX - 1),
        tree: context.tree,
        channel: Mutex::new(Channel::new(service)),
    };
    let file_id = FileId { persistent: pipe.persistent.0, volatile };
    let open = SessionOpen::Pipe(Arc::new(pipe));
    let inserted = context.session.insert_open(volatile, context.tree, open);
    inserted.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let response = CreateResponse {
        create_action: CreateAction::Opened,
        allocation_size: PIPE_ALLOCATION,
        file_attributes: FileAttributes::NORMAL,
        file_id,
        ..CreateResponse::default()
    };
    Ok(Reply::success(response).giving(Given::Open(file_id)))
}

/// Closes a pipe.
pub async fn close(
    context: PipeContext,
    pipe: Arc<PipeOpen>,
    _request: CloseRequest,
) -> HandlerResult {
    context.session.remove_open(pipe.volatile);
    Ok(Reply::success(CloseResponse::default()))
}

/// Nothing is kept that could be flushed.
pub async fn flush(
    _context: PipeContext,
    _pipe: Arc<PipeOpen>,
    _request: FlushRequest,
) -> HandlerResult {
    Ok(Reply::success(FlushResponse))
}

/// Gives the client packets that answer its calls.
pub async fn write(
    context: PipeContext,
    pipe: Arc<PipeOpen>,
    request: WriteRequest,
) -> HandlerResult {
    check_place_and_channel(&request)?;
    // 3.3.5.13.
    if request.flags.intersects(WriteFlags::WRITE_THROUGH | WriteFlags::WRITE_UNBUFFERED) {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    put(&context.node, &pipe, &request.data)?;
    let count = request.data.len() as u32;
    Ok(Reply::success(WriteResponse { count, remaining: 0 }))
}

/// Fetches the next answer, or a part of it.
pub async fn read(
    _context: PipeContext,
    pipe: Arc<PipeOpen>,
    request: ReadRequest,
) -> HandlerResult {
    let fetched = pipe.channel.lock().read(request.length as usize);
    let (data, more) = fetched.ok_or(PIPE_EMPTY)?;
    let reply = Reply::success(ReadResponse { data, ..ReadResponse::default() });
    Ok(if more { reply.with_status(NtStatus::BUFFER_OVERFLOW) } else { reply })
}

/// FSCTL_PIPE_TRANSCEIVE, and controls that need no open.
pub async fn ioctl(
    context: PipeContext,
    pipe: Option<Arc<PipeOpen>>,
    request: IoctlRequest,
) -> HandlerResult {
    if !request.flags.contains(IoctlFlags::IS_FSCTL) {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    match (request.ctl_code, pipe) {
        (CtlCode::PIPE_TRANSCEIVE, Some(pipe)) => {
            put(&context.node, &pipe, &request.input)?;
            let fetched = pipe.channel.lock().read(request.max_output_response as usize);
            let (output, more) = fetched.unwrap_or_default();
            let reply = answer(&request, output);
            Ok(if more { reply.with_status(NtStatus::BUFFER_OVERFLOW) } else { reply })
        }
        (CtlCode::PIPE_WAIT, _) => Ok(answer(&request, Bytes::new())),
        // 3.3.5.15.12: on 3.1.1, whose negotiation is protected otherwise, this is an attack.
        (CtlCode::VALIDATE_NEGOTIATE_INFO, _) => {
            Err(Failure::Disconnect("FSCTL_VALIDATE_NEGOTIATE_INFO on a connection of 3.1.1"))
        }
        // 3.3.5.15.2: no DFS here.
        (CtlCode::DFS_GET_REFERRALS | CtlCode::DFS_GET_REFERRALS_EX, _) => {
            Err(NtStatus::FS_DRIVER_REQUIRED.into())
        }
        (_, _) => Err(NtStatus::INVALID_DEVICE_REQUEST.into()),
    }
}

/// The little that clients ask of a pipe.
pub async fn query_info(
    _context: PipeContext,
    _pipe: Arc<PipeOpen>,
    request: QueryInfoRequest,
) -> HandlerResult {
    if request.info_type != InfoType::FILE {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    if request.file_info_class != FILE_STANDARD_INFORMATION {
        return Err(NtStatus::INVALID_INFO_CLASS.into());
    }
    let mut w = Writer::new();
    w.u64(PIPE_ALLOCATION);
    w.u64(0);
    w.u32(1);
    // DeletePending is what other servers tell of pipes; then Directory and padding.
    w.u8(1);
    w.zeros(3);
    let output = w.into_bytes();
    if (request.output_buffer_length as usize) < output.len() {
        return Err(Failure::info_length_mismatch());
    }
    Ok(Reply::success(QueryInfoResponse { output }))
}

fn put(node: &Node, pipe: &PipeOpen, bytes: &[u8]) -> Result<(), Failure> {
    let state = node.cluster.state();
    let identity = Identity::of(&state).ok_or(Failure::NotReady)?;
    let facts = Facts { state: &state, identity: &identity };
    let written = pipe.channel.lock().write(bytes, &facts);
    written.map_err(|Broken| NtStatus::PIPE_DISCONNECTED.into())
}

fn answer(request: &IoctlRequest, output: Bytes) -> Reply {
    Reply::success(IoctlResponse {
        ctl_code: request.ctl_code,
        file_id: request.file_id,
        input: Bytes::new(),
        output,
        flags: 0,
    })
}
