//! What a client can make the node keep: no message is longer than its opcode has use for, and
//! what waits keeps no more than it needs ([MS-SMB2] 3.3.5.2, 3.3.5.2.5).

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::header::Header;
use holdfast_proto::msg::lock::LockFlags;
use holdfast_proto::msg::{EchoRequest, FileId, Request, WriteRequest};
use holdfast_proto::opcode::Opcode;

use super::tests::{lock, node, open_file};
use crate::core::{Inbound, Protection};
use crate::dispatch::run_chain;
use crate::limits;
use crate::testing::WireClient;

/// Sends a request with so many bytes behind it that the message is `length` long.
async fn send_long(client: &mut WireClient, request: impl Into<Request>, length: usize) {
    let request = request.into();
    let header = client.header(request.opcode());
    let mut message = request.to_message(&header).to_bytes().to_vec();
    message.resize(length, 0);
    client.sign(&mut message);
    client.send_raw(&message).await;
}

#[tokio::test]
async fn a_lock_of_megabytes_ends_the_connection() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    let most = limits::MESSAGE_MAX_WITHOUT_DATA;
    send_long(&mut client, lock(file_id, LockFlags::EXCLUSIVE_LOCK), most).await;
    assert_eq!(client.receive().await.unwrap().0.status, NtStatus::SUCCESS);
    send_long(&mut client, lock(file_id, LockFlags::UNLOCK), most + 1).await;
    assert!(client.receive().await.is_none());
}

#[tokio::test]
async fn no_write_is_longer_than_what_was_negotiated() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let write = |file_id: FileId| WriteRequest { file_id, ..Default::default() };
    let file_id = open_file(&mut client, "f").await;
    send_long(&mut client, write(file_id), limits::MESSAGE_MAX).await;
    assert_eq!(client.receive().await.unwrap().0.status, NtStatus::SUCCESS);
    send_long(&mut client, write(file_id), limits::MESSAGE_MAX + 1).await;
    assert!(client.receive().await.is_none());
}

#[tokio::test]
async fn a_frame_is_no_longer_than_any_may_be() {
    let (node, _) = node();
    for logged_on in [false, true] {
        let mut client = match logged_on {
            false => WireClient::connect(&node),
            true => WireClient::logged_on(&node).await,
        };
        let limit = if logged_on { limits::FRAME_MAX } else { limits::FRAME_MAX_UNAUTHENTICATED };
        // The announcement is enough.
        client.send_prefix(limit + 1).await;
        assert!(client.receive().await.is_none());
    }
}

/// A message that tells by its count whether anybody keeps it.
struct Watched(Vec<u8>, #[expect(dead_code)] Arc<()>);

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[tokio::test]
async fn a_lock_that_waits_keeps_nothing_of_its_message() {
    let (node, _) = node();
    let mut holder = WireClient::on_share(&node, "data").await;
    let mut waiter = WireClient::on_share(&node, "data").await;
    let connection = node.connections().pop().expect("the newest is the waiter's");
    let held = open_file(&mut holder, "f").await;
    let wanted = open_file(&mut waiter, "f").await;
    holder.call(lock(held, LockFlags::EXCLUSIVE_LOCK)).await;

    let header = waiter.header(Opcode::LOCK);
    let request = Request::from(lock(wanted, LockFlags::EXCLUSIVE_LOCK));
    let mut message = request.to_message(&header).to_bytes().to_vec();
    waiter.sign(&mut message);
    let header = Header::decode(&message).unwrap();
    let kept = Arc::new(());
    let message = Bytes::from_owner(Watched(message, kept.clone()));
    let request = Inbound { header, message, protection: Protection::Clear };
    let pending = connection.begin(&request).unwrap();
    tokio::spawn(run_chain(node.clone(), connection, vec![(request, pending)]));
    assert_eq!(waiter.receive().await.unwrap().0.status, NtStatus::PENDING);
    assert_eq!(Arc::strong_count(&kept), 1);

    holder.call(lock(held, LockFlags::UNLOCK)).await;
    assert_eq!(waiter.receive().await.unwrap().0.status, NtStatus::SUCCESS);
    assert_eq!(waiter.call(EchoRequest).await.0.status, NtStatus::SUCCESS);
}
