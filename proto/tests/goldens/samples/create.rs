//! CREATE and CLOSE.

use bytes::Bytes;
use holdfast_proto::msg::close::CloseFlags;
use holdfast_proto::msg::create::*;
use holdfast_proto::msg::*;
use holdfast_proto::types::{
    AccessMask, CreateAction, CreateDisposition, CreateOptions, FileAttributes, FileTime,
    LeaseState, OplockLevel, ShareAccess,
};
use holdfast_proto::{NtStatus, Opcode};

use super::{Sample, guid, request, response};

const FILE_ID: FileId = FileId { persistent: 0x0102_0304, volatile: 0x0506_0708 };

fn plain() -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::BATCH,
        desired_access: AccessMask::FILE_GENERIC_READ,
        file_attributes: FileAttributes::NORMAL,
        share_access: ShareAccess::READ | ShareAccess::DELETE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: CreateOptions::NON_DIRECTORY_FILE,
        name: "dir\\Grüße 😀.txt".into(),
        ..CreateRequest::default()
    }
}

fn lease(v2: Option<LeaseV2>, flags: LeaseFlags) -> LeaseContext {
    LeaseContext { lease_key: guid(0x30), lease_state: LeaseState::RWH, flags, v2 }
}

fn persistent() -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::LEASE,
        contexts: CreateContexts {
            durable_request_v2: Some(DurableHandleRequestV2 {
                timeout: 60_000,
                flags: DurableHandleFlags::PERSISTENT,
                create_guid: guid(0x40),
            }),
            lease: Some(lease(
                Some(LeaseV2 { parent_lease_key: guid(0x50), epoch: 3 }),
                LeaseFlags::PARENT_LEASE_KEY_SET,
            )),
            max_access: Some(QueryMaximalAccess::default()),
            query_on_disk_id: Some(QueryOnDiskId),
            ..CreateContexts::default()
        },
        ..plain()
    }
}

fn new_file() -> CreateRequest {
    CreateRequest {
        create_disposition: CreateDisposition::CREATE,
        contexts: CreateContexts {
            durable_request: Some(DurableHandleRequest),
            lease: Some(lease(None, LeaseFlags::NONE)),
            max_access: Some(QueryMaximalAccess { timestamp: Some(FileTime(5)) }),
            allocation_size: Some(AllocationSize { allocation_size: 1 << 20 }),
            timewarp: Some(TimewarpToken { timestamp: FileTime(0x0123_4567_89AB_CDEF) }),
            security_descriptor: Some(SecurityDescriptorBuffer {
                data: Bytes::from_static(b"descriptor"),
            }),
            ext_attributes: Some(ExtAttributes { data: Bytes::from_static(b"attributes") }),
            app_instance_id: Some(AppInstanceId { app_instance_id: guid(0x60) }),
            app_instance_version: Some(AppInstanceVersion { high: 1, low: 2 }),
            unknown: vec![
                UnknownCreateContext {
                    tag: ContextTag(Bytes::from_static(b"AAPL")),
                    data: Bytes::from_static(b"\x01\0\0\0"),
                },
                UnknownCreateContext {
                    tag: ContextTag(Bytes::from_static(b"a longer name")),
                    data: Bytes::new(),
                },
            ],
            ..CreateContexts::default()
        },
        ..plain()
    }
}

fn reconnect(contexts: CreateContexts) -> CreateRequest {
    CreateRequest { contexts, ..plain() }
}

fn opened() -> CreateResponse {
    CreateResponse {
        oplock_level: OplockLevel::LEASE,
        flags: CreateResponseFlags::NONE,
        create_action: CreateAction::Created,
        creation_time: FileTime(1),
        last_access_time: FileTime(2),
        last_write_time: FileTime(3),
        change_time: FileTime(4),
        allocation_size: 4096,
        end_of_file: 11,
        file_attributes: FileAttributes::ARCHIVE,
        file_id: FILE_ID,
        contexts: CreateResponseContexts {
            durable_v2: Some(DurableHandleResponseV2 {
                timeout: 180_000,
                flags: DurableHandleFlags::PERSISTENT,
            }),
            lease: Some(lease(Some(LeaseV2::default()), LeaseFlags::BREAK_IN_PROGRESS)),
            max_access: Some(MaximalAccessResponse {
                query_status: NtStatus::SUCCESS,
                maximal_access: AccessMask::FILE_ALL,
            }),
            query_on_disk_id: Some(OnDiskId { disk_file_id: 0x1234, volume_id: 0x5678 }),
            ..CreateResponseContexts::default()
        },
    }
}

pub fn samples() -> Vec<Sample> {
    let op = Opcode::CREATE;
    let v1 = reconnect(CreateContexts {
        durable_reconnect: Some(DurableHandleReconnect { file_id: FILE_ID }),
        ..CreateContexts::default()
    });
    let v2 = reconnect(CreateContexts {
        durable_reconnect_v2: Some(DurableHandleReconnectV2 {
            file_id: FILE_ID,
            create_guid: guid(0x40),
            flags: DurableHandleFlags::PERSISTENT,
        }),
        ..CreateContexts::default()
    });
    let bare = CreateResponse { contexts: CreateResponseContexts::default(), ..opened() };
    let durable = CreateResponse {
        contexts: CreateResponseContexts {
            durable: Some(DurableHandleResponse),
            lease: Some(lease(None, LeaseFlags::NONE)),
            ..CreateResponseContexts::default()
        },
        ..opened()
    };
    let close = CloseRequest { flags: CloseFlags::POSTQUERY_ATTRIB, file_id: FILE_ID };
    let closed = CloseResponse {
        flags: CloseFlags::POSTQUERY_ATTRIB,
        creation_time: FileTime(1),
        last_access_time: FileTime(2),
        last_write_time: FileTime(3),
        change_time: FileTime(4),
        allocation_size: 4096,
        end_of_file: 11,
        file_attributes: FileAttributes::ARCHIVE,
    };
    let shut = Opcode::CLOSE;
    vec![
        request("create_request", "plain", "a batch oplock, no contexts", op, plain()),
        request("create_request", "root", "no name and no contexts", op, CreateRequest::default()),
        request("create_request", "persistent", "four contexts", op, persistent()),
        request("create_request", "new_file", "all other contexts, two unknown", op, new_file()),
        request("create_request", "reconnect_v1", "a durable handle again", op, v1),
        request("create_request", "reconnect_v2", "a persistent handle again", op, v2),
        response("create_response", "persistent", "four contexts", op, opened()),
        response("create_response", "bare", "no contexts", op, bare),
        response("create_response", "durable_v1", "contexts of version 1", op, durable),
        request("close_request", "with_attributes", "asks for attributes", shut, close),
        response("close_response", "with_attributes", "tells attributes", shut, closed),
    ]
}
