//! What is not signed or encrypted as it must be is refused, or closes the connection.

use bytes::BytesMut;
use holdfast_cluster::command::Command;
use holdfast_proto::NtStatus;
use holdfast_proto::frame::TRANSFORM_HEADER_SIZE;
use holdfast_proto::header::{Header, HeaderFlags};
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

/// [MS-SMB2] 3.3.5.17, 3.3.5.2.4, 3.3.5.2.9.
#[tokio::test]
async fn an_echo_of_a_session_is_protected_as_its_other_requests_are() {
    let (node, cluster) = node();
    let mut client = WireClient::logged_on(&node).await;
    let session = client.session;
    let plain = |header: &Header| Request::from(EchoRequest).to_message(header).to_bytes();
    for (session_id, expected) in [
        (session, NtStatus::ACCESS_DENIED),
        (SessionId(session.0 + 1), NtStatus::USER_SESSION_DELETED),
        (SessionId(0), NtStatus::SUCCESS),
    ] {
        let mut header = client.header(Opcode::ECHO);
        header.session_id = session_id;
        client.send_raw(&plain(&header)).await;
        assert_eq!(client.receive().await.unwrap().0.status, expected, "{session_id}");
        // Signed, it needs a session, which it then has to be of.
        let mut header = client.header(Opcode::ECHO);
        header.session_id = session_id;
        let mut signed = plain(&header).to_vec();
        client.sign(&mut signed);
        client.send_raw(&signed).await;
        let known = session_id == session;
        let expected = if known { NtStatus::SUCCESS } else { NtStatus::USER_SESSION_DELETED };
        assert_eq!(client.receive().await.unwrap().0.status, expected, "{session_id}");
    }
    cluster.apply(Command::SetEncryption { required: true });
    let mut client = WireClient::logged_on(&node).await;
    assert_eq!(client.call(EchoRequest).await.0.status, NtStatus::ACCESS_DENIED);
    client.encrypt = true;
    assert_eq!(client.call(EchoRequest).await.0.status, NtStatus::SUCCESS);
}

/// [MS-SMB2] 3.3.5.2.4.
#[tokio::test]
async fn a_negotiate_cannot_be_signed() {
    let (node, _) = node();
    let mut client = WireClient::connect(&node);
    let mut header = client.header(Opcode::NEGOTIATE);
    header.flags |= HeaderFlags::SIGNED;
    client.send(vec![(header, WireClient::offer().into())]).await;
    assert_eq!(client.receive().await.unwrap().0.status, NtStatus::INVALID_PARAMETER);
}

/// [MS-SMB2] 3.3.5.2.1.1, 3.3.5.2.3.
#[tokio::test]
async fn what_is_encrypted_and_not_as_it_was_sent_closes_the_connection() {
    let (node, _) = node();
    let echo = |client: &mut WireClient, flags, session: Option<SessionId>| {
        let mut header = client.header(Opcode::ECHO);
        header.flags |= flags;
        header.session_id = session.unwrap_or(header.session_id);
        let message = Request::from(EchoRequest).to_message(&header).to_bytes();
        client.seal(BytesMut::from(&message[..])).to_vec()
    };
    // Signature, nonce, OriginalMessageSize, Flags, SessionId, and the message itself.
    let length = TRANSFORM_HEADER_SIZE + 68;
    for position in
        [4, 20, 36, 42, 44, TRANSFORM_HEADER_SIZE, TRANSFORM_HEADER_SIZE + 12, length - 1]
    {
        let mut client = WireClient::on_share(&node, "data").await;
        client.encrypt = true;
        let mut frame = echo(&mut client, HeaderFlags::NONE, None);
        assert_eq!(frame.len(), length);
        frame[position] ^= 1;
        client.send_raw(&frame).await;
        assert!(client.receive().await.is_none(), "{position}");
    }
    // The same frame again, and the first message of one as a related one or another session's.
    let mut client = WireClient::on_share(&node, "data").await;
    client.encrypt = true;
    let frame = echo(&mut client, HeaderFlags::NONE, None);
    client.send_raw(&frame).await;
    assert_eq!(client.receive().await.unwrap().0.status, NtStatus::SUCCESS);
    client.send_raw(&frame).await;
    assert!(client.receive().await.is_none());
    for (flags, session) in [
        (HeaderFlags::RELATED_OPERATIONS, None),
        (HeaderFlags::NONE, Some(SessionId(0))),
        (HeaderFlags::RELATED_OPERATIONS, Some(SessionId(u64::MAX))),
    ] {
        let mut client = WireClient::on_share(&node, "data").await;
        client.encrypt = true;
        let frame = echo(&mut client, flags, session);
        client.send_raw(&frame).await;
        assert!(client.receive().await.is_none(), "{flags:?}");
    }
}
