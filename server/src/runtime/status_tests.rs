//! Requests that the specification has refused with a status of their own.

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::info::{FileInformationClass, FileSystemInformationClass};
use holdfast_proto::msg::create::ImpersonationLevel;
use holdfast_proto::msg::error::ErrorContext;
use holdfast_proto::msg::query_info::{InfoType, QueryInfoRequest};
use holdfast_proto::msg::write::WriteFlags;
use holdfast_proto::msg::{
    CreateRequest, FileId, Request, Response, TreeConnectRequest, WriteRequest,
};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{AccessMask, CreateDisposition, CreateOptions, ShareAccess};

use super::tests::{node, open, open_file};
use crate::testing::WireClient;

/// [MS-SMB2] 3.3.5.7, 2.2.9.
#[tokio::test]
async fn a_path_that_is_none_is_a_wrong_parameter_and_not_a_missing_share() {
    let (node, _) = node();
    let mut client = WireClient::logged_on(&node).await;
    for (path, expected) in [
        (r"\\h\nowhere", NtStatus::BAD_NETWORK_NAME),
        (r"\\h\data", NtStatus::SUCCESS),
        (r"\\h\", NtStatus::INVALID_PARAMETER),
        (r"\\h", NtStatus::INVALID_PARAMETER),
        (r"h\data", NtStatus::INVALID_PARAMETER),
        (r"\\h\data\f", NtStatus::INVALID_PARAMETER),
        (r"\\h\da:ta", NtStatus::INVALID_PARAMETER),
    ] {
        let request = TreeConnectRequest { path: path.to_owned(), ..Default::default() };
        assert_eq!(client.call(request).await.0.status, expected, "{path}");
    }
}

/// Sends a WRITE whose data stands at `offset`.
async fn write_at(client: &mut WireClient, file_id: FileId, offset: u16) -> NtStatus {
    const DATA_OFFSET: usize = 64 + 2;
    let header = client.header(Opcode::WRITE);
    let request = WriteRequest { file_id, data: Bytes::from_static(b"data"), ..Default::default() };
    let mut message = Request::from(request).to_message(&header).to_bytes().to_vec();
    message.resize(usize::from(offset), 0);
    message.extend_from_slice(b"data");
    message[DATA_OFFSET..DATA_OFFSET + 2].copy_from_slice(&offset.to_le_bytes());
    client.send_protected(message).await;
    client.receive().await.expect("an answer").0.status
}

/// [MS-SMB2] 3.3.5.13.
#[tokio::test]
async fn where_the_data_of_a_write_may_stand() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    assert_eq!(write_at(&mut client, file_id, 0x100).await, NtStatus::SUCCESS);
    assert_eq!(write_at(&mut client, file_id, 0x101).await, NtStatus::INVALID_PARAMETER);
}

/// [MS-SMB2] 3.3.5.13: for 3.0.2 and later.
#[tokio::test]
async fn a_write_goes_through_where_nothing_is_buffered() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let (through, unbuffered) = (WriteFlags::WRITE_THROUGH, WriteFlags::WRITE_UNBUFFERED);
    for (create_options, flags, expected) in [
        (CreateOptions::NONE, through, NtStatus::INVALID_PARAMETER),
        (CreateOptions::WRITE_THROUGH, through, NtStatus::INVALID_PARAMETER),
        (CreateOptions::NONE, through | unbuffered, NtStatus::SUCCESS),
        (CreateOptions::NONE, unbuffered, NtStatus::SUCCESS),
        (CreateOptions::NO_INTERMEDIATE_BUFFERING, through, NtStatus::SUCCESS),
    ] {
        let request = CreateRequest {
            desired_access: AccessMask::FILE_ALL,
            share_access: ShareAccess(7),
            create_disposition: CreateDisposition::OPEN_IF,
            create_options,
            ..open("f")
        };
        let (header, response) = client.call(request).await;
        let Response::Create(created) = response else { panic!("{:?}", header.status) };
        let file_id = created.file_id;
        // A sector, as an open without a buffer wants it.
        let data = Bytes::from_static(&[7; 512]);
        let write = WriteRequest { file_id, flags, data, ..Default::default() };
        let status = client.call(write).await.0.status;
        assert_eq!(status, expected, "{create_options:?}, {flags:?}");
    }
}

/// [MS-SMB2] 3.3.5.9, 3.3.5.13.
#[tokio::test]
async fn what_pipes_do_not_take() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "IPC$").await;
    for level in [ImpersonationLevel::DELEGATE, ImpersonationLevel(4)] {
        let request = CreateRequest { impersonation_level: level, ..open("srvsvc") };
        let status = client.call(request).await.0.status;
        assert_eq!(status, NtStatus::BAD_IMPERSONATION_LEVEL);
    }
    let (header, response) = client.call(open("srvsvc")).await;
    let Response::Create(created) = response else { panic!("{:?}", header.status) };
    let file_id = created.file_id;
    for flags in [WriteFlags::WRITE_THROUGH, WriteFlags::WRITE_UNBUFFERED] {
        let write = WriteRequest { file_id, flags, ..Default::default() };
        assert_eq!(client.call(write).await.0.status, NtStatus::INVALID_PARAMETER);
    }
    assert_eq!(write_at(&mut client, file_id, 0x101).await, NtStatus::INVALID_PARAMETER);
}

/// [MS-SMB2] 3.3.5.20.1, 3.3.5.20.2: ByteCount is 8, for a context without data.
#[tokio::test]
async fn a_buffer_that_is_too_short_is_told_in_a_context() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    let mut pipes = WireClient::on_share(&node, "IPC$").await;
    let (_, response) = pipes.call(open("srvsvc")).await;
    let Response::Create(pipe) = response else { panic!("{response:?}") };
    for (client, file_id, info_type, file_info_class) in [
        (&mut client, file_id, InfoType::FILE, FileInformationClass::BASIC.0),
        (&mut pipes, pipe.file_id, InfoType::FILE, FileInformationClass::STANDARD.0),
    ] {
        let request = QueryInfoRequest {
            info_type,
            file_info_class,
            output_buffer_length: 3,
            file_id,
            ..Default::default()
        };
        let (header, response) = client.call(request).await;
        assert_eq!(header.status, NtStatus::INFO_LENGTH_MISMATCH);
        let Response::Error(error) = response else { panic!("{response:?}") };
        let empty = ErrorContext { error_id: Default::default(), data: Bytes::new() };
        assert_eq!(error.contexts, [empty]);
    }
    let request = QueryInfoRequest {
        info_type: InfoType::FILESYSTEM,
        file_info_class: FileSystemInformationClass::SIZE.0,
        output_buffer_length: 3,
        file_id,
        ..Default::default()
    };
    let (_, response) = client.call(request).await;
    let Response::Error(error) = response else { panic!("{response:?}") };
    assert_eq!(error.contexts.len(), 1);
}
