//! Compounds of related requests, some of whose members fail ([MS-SMB2] 3.3.5.2.7.2).

use holdfast_proto::NtStatus;
use holdfast_proto::header::HeaderFlags;
use holdfast_proto::msg::{
    CloseRequest, CreateRequest, FileId, ReadRequest, Request, WriteRequest,
};
use holdfast_proto::types::{AccessMask, ShareAccess};

use super::tests::{node, open, open_file};
use crate::testing::WireClient;

/// Sends requests as one chain; the status of each.
async fn chain(client: &mut WireClient, requests: Vec<Request>) -> Vec<NtStatus> {
    let mut members = Vec::new();
    for (position, request) in requests.into_iter().enumerate() {
        let mut header = client.header(request.opcode());
        if position > 0 {
            header.flags |= HeaderFlags::RELATED_OPERATIONS;
        }
        members.push((header, request));
    }
    let count = members.len();
    client.send(members).await;
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(client.receive().await.expect("an answer").0.status);
    }
    statuses
}

fn read(offset: u64) -> Request {
    ReadRequest { file_id: FileId::ANY, offset, length: 10, ..Default::default() }.into()
}

fn close() -> Request {
    CloseRequest { file_id: FileId::ANY, ..Default::default() }.into()
}

#[tokio::test]
async fn what_fails_on_an_open_leaves_its_close_alone() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    client.call(WriteRequest { file_id, data: "0123456789".into(), ..Default::default() }).await;
    client.call(CloseRequest { file_id, ..Default::default() }).await;
    let alone = || CreateRequest { share_access: ShareAccess::NONE, ..open("f") };
    let past_end = vec![alone().into(), read(100), close()];
    let expected = [NtStatus::SUCCESS, NtStatus::END_OF_FILE, NtStatus::SUCCESS];
    assert_eq!(chain(&mut client, past_end).await, expected);
    // The open did not outlive its chain, so that another can have the file for itself.
    let write = WriteRequest { file_id: FileId::ANY, data: "x".into(), ..Default::default() };
    let denied = vec![alone().into(), read(0), write.into(), read(0), close()];
    let (fine, refused) = (NtStatus::SUCCESS, NtStatus::ACCESS_DENIED);
    assert_eq!(chain(&mut client, denied).await, [fine, fine, refused, fine, fine]);
    assert_eq!(node.cluster.state().open_count(), 0);
}

#[tokio::test]
async fn a_create_that_fails_fails_what_would_use_its_open() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let missing = CreateRequest { desired_access: AccessMask::READ_DATA, ..open("none") };
    let statuses = chain(&mut client, vec![missing.into(), read(0), close()]).await;
    assert_eq!(statuses, [NtStatus::OBJECT_NAME_NOT_FOUND; 3]);
}
