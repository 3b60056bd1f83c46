//! What is not signed or encrypted as it must be is refused, or closes the connection.

use holdfast_cluster::command::Command;
use holdfast_proto::NtStatus;
use holdfast_proto::header::HeaderFlags;
use holdfast_proto::msg::session_setup::SessionFlags;
use holdfast_proto::msg::{EchoRequest, Request, TreeConnectRequest, TreeDisconnectRequest};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::SessionId;

use super::tests::node;
use crate::testing::{PASSWORD, USER, WireClient};

#[tokio::test]
async fn encrypted_shares_want_encryption() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "vault").await;
    let (header, _) = client.call(TreeDisconnectRequest).await;
    assert_eq!(header.status, NtStatus::ACCESS_DENIED);
    client.encrypt = true;
    let (header, _) = client.call(TreeDisconnectRequest).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn a_cluster_that_demands_encryption_gets_it_from_every_session() {
    let (node, cluster) = node();
    let mut early = WireClient::on_share(&node, "data").await;
    cluster.apply(Command::SetEncryption { required: true });
    let mut client = WireClient::logged_on(&node).await;
    assert!(client.session_flags.contains(SessionFlags::ENCRYPT_DATA));
    let connect = TreeConnectRequest { path: r"\\h\data".to_owned(), ..Default::default() };
    let (header, _) = client.call(connect.clone()).await;
    assert_eq!(header.status, NtStatus::ACCESS_DENIED);
    client.encrypt = true;
    let (header, _) = client.call(connect).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    // A client without a cipher is told so at once; a session from before goes on.
    let mut bare = WireClient::connect(&node);
    let mut offer = WireClient::offer();
    offer.contexts.encryption = None;
    bare.call(offer).await;
    assert_eq!(bare.log_on(USER, PASSWORD, SessionId(0)).await, NtStatus::ACCESS_DENIED);
    let (header, _) = early.call(TreeDisconnectRequest).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn what_is_forged_closes_the_connection() {
    let (node, _) = node();
    // A changed signature.
    let mut client = WireClient::on_share(&node, "data").await;
    let header = client.header(Opcode::ECHO);
    let mut forged = Request::from(EchoRequest).to_message(&header).to_bytes().to_vec();
    forged[16] |= HeaderFlags::SIGNED.0 as u8;
    client.send_raw(&forged).await;
    assert!(client.receive().await.is_none());
    // A message id twice.
    let mut client = WireClient::on_share(&node, "data").await;
    let header = client.header(Opcode::ECHO);
    client.send(vec![(header, EchoRequest.into())]).await;
    client.receive().await.unwrap();
    client.send(vec![(header, EchoRequest.into())]).await;
    assert!(client.receive().await.is_none());
    // A second NEGOTIATE.
    let mut client = WireClient::connect(&node);
    client.negotiate().await;
    let header = client.header(Opcode::NEGOTIATE);
    client.send(vec![(header, WireClient::offer().into())]).await;
    assert!(client.receive().await.is_none());
    // TREE_CONNECT without a signature.
    let mut client = WireClient::logged_on(&node).await;
    let header = client.header(Opcode::TREE_CONNECT);
    let request = TreeConnectRequest { path: r"\\h\data".to_owned(), ..Default::default() };
    let plain = Request::from(request).to_message(&header).to_bytes();
    client.send_raw(&plain).await;
    assert!(client.receive().await.is_none());
}

#[tokio::test]
async fn unsigned_requests_are_refused() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let header = client.header(Opcode::TREE_DISCONNECT);
    let plain = Request::from(TreeDisconnectRequest).to_message(&header).to_bytes();
    client.send_raw(&plain).await;
    let (header, _) = client.receive().await.unwrap();
    assert_eq!(header.status, NtStatus::ACCESS_DENIED);
}
