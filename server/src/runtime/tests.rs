//! A node and a client over a pipe in memory: negotiation, logon, tree connects, protection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::frame::Smb1Negotiate;
use holdfast_proto::frame::smb1_negotiate::SMB_2_WILDCARD;
use holdfast_proto::header::HeaderFlags;
use holdfast_proto::msg::create::{DurableHandleFlags, DurableHandleRequestV2, ImpersonationLevel};
use holdfast_proto::msg::lock::{LockElement, LockFlags};
use holdfast_proto::msg::{
    CancelRequest, CloseRequest, CreateContexts, CreateRequest, EchoRequest, FileId, LockRequest,
    LogoffRequest, ReadRequest, Response, TreeConnectRequest, TreeDisconnectRequest, WriteRequest,
};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::rpc::pdu::{Bind, PresentationContext};
use holdfast_proto::rpc::{Pdu, PduBody, SyntaxId, srvsvc};
use holdfast_proto::types::{
    AccessMask, CreateDisposition, CreateOptions, Dialect, FileAttributes, Guid, OplockLevel,
    SessionId, ShareAccess, VolumeId,
};

use crate::node::Node;
use crate::ports::{Cluster, Vfs};
use crate::testing::{self, LocalCluster, PASSWORD, USER, WireClient};
use crate::vfs::memory::MemoryVolume;

pub(super) fn node() -> (Arc<Node>, Arc<LocalCluster>) {
    let volume: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VolumeId(1)));
    testing::node(BTreeMap::from([(VolumeId(1), volume)]))
}

/// Opens or creates a file that everyone may open too.
pub(super) async fn open_file(client: &mut WireClient, name: &str) -> FileId {
    let request = CreateRequest {
        desired_access: AccessMask::FILE_ALL,
        share_access: ShareAccess(7),
        create_disposition: CreateDisposition::OPEN_IF,
        ..open(name)
    };
    let (header, response) = client.call(request).await;
    let Response::Create(created) = response else { panic!("{:?}", header.status) };
    created.file_id
}

pub(super) fn lock(file_id: FileId, flags: LockFlags) -> LockRequest {
    let locks = vec![LockElement { offset: 0, length: 10, flags }];
    LockRequest { lock_sequence_number: 0, lock_sequence_index: 0, file_id, locks }
}

pub(super) fn open(name: &str) -> CreateRequest {
    CreateRequest {
        security_flags: 0,
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::FILE_GENERIC_READ,
        file_attributes: FileAttributes::NONE,
        share_access: ShareAccess::NONE,
        create_disposition: CreateDisposition::OPEN,
        create_options: CreateOptions::NONE,
        name: name.to_owned(),
        contexts: Default::default(),
    }
}

#[tokio::test]
async fn the_old_protocols_negotiate_leads_to_the_new_one() {
    let (node, _) = node();
    let mut client = WireClient::connect(&node);
    let old = Smb1Negotiate { dialects: vec![Bytes::from_static(SMB_2_WILDCARD)] };
    client.send_raw(&old.to_bytes()).await;
    let (header, response) = client.receive().await.unwrap();
    let Response::Negotiate(response) = response else { panic!("{header:?}") };
    assert_eq!(response.dialect_revision, Dialect::SMB_2_WILDCARD);
    // The old protocol's message counts as message 0.
    client.header(Opcode::NEGOTIATE);
    assert_eq!(client.negotiate().await.dialect_revision, Dialect::SMB_3_1_1);
    assert_eq!(client.log_on(USER, PASSWORD, SessionId(0)).await, NtStatus::SUCCESS);
}

#[tokio::test]
async fn a_logon_is_in_the_log_and_ends_with_its_connection() {
    let (node, cluster) = node();
    let mut client = WireClient::logged_on(&node).await;
    let session = client.session;
    assert_eq!(cluster.state().session(session).unwrap().user, USER);
    assert_eq!(client.tree_connect("DATA").await, NtStatus::SUCCESS);
    assert_eq!(client.tree_connect("nowhere").await, NtStatus::BAD_NETWORK_NAME);
    let (header, _) = client.call(EchoRequest).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    assert!(client.credits > 32);
    drop(client);
    while cluster.state().session(session).is_some() {
        tokio::task::yield_now().await;
    }
    assert!(node.sessions.is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_refused_late() {
    let (node, cluster) = node();
    let begun = tokio::time::Instant::now();
    let attempt = async |user: &str, password: &str| {
        let mut client = WireClient::connect(&node);
        client.negotiate().await;
        client.log_on(user, password, SessionId(0)).await
    };
    let (wrong, unknown) = tokio::join!(attempt(USER, "Secret"), attempt("nobody", PASSWORD));
    assert_eq!((wrong, unknown), (NtStatus::LOGON_FAILURE, NtStatus::LOGON_FAILURE));
    assert!(begun.elapsed() >= crate::limits::LOGON_DELAY);
    assert_eq!(cluster.state().sessions().count(), 0);
}

#[tokio::test]
async fn a_new_session_replaces_the_previous_one() {
    let (node, cluster) = node();
    let old = WireClient::logged_on(&node).await;
    let mut new = WireClient::connect(&node);
    new.negotiate().await;
    assert_eq!(new.log_on(USER, PASSWORD, old.session).await, NtStatus::SUCCESS);
    assert!(cluster.state().session(old.session).is_none());
    assert!(cluster.state().session(new.session).is_some());
}

#[tokio::test]
async fn log_off_and_tree_disconnect() {
    let (node, cluster) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let (header, _) = client.call(TreeDisconnectRequest).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    let (header, _) = client.call(TreeDisconnectRequest).await;
    assert_eq!(header.status, NtStatus::NETWORK_NAME_DELETED);
    let (header, _) = client.call(LogoffRequest).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    assert!(cluster.state().session(client.session).is_none());
    let (header, _) = client.call(TreeDisconnectRequest).await;
    assert_eq!(header.status, NtStatus::USER_SESSION_DELETED);
}

#[tokio::test]
async fn a_compound_hands_on_the_open_and_its_failure() {
    let (node, _) = node();
    for (name, expected) in
        [("srvsvc", NtStatus::SUCCESS), ("spoolss", NtStatus::OBJECT_NAME_NOT_FOUND)]
    {
        let mut client = WireClient::on_share(&node, "IPC$").await;
        let create = client.header(Opcode::CREATE);
        let mut close = client.header(Opcode::CLOSE);
        close.flags |= HeaderFlags::RELATED_OPERATIONS;
        (close.session_id, close.form) = (SessionId(u64::MAX), create.form);
        let request = CloseRequest { file_id: FileId::ANY, ..CloseRequest::default() };
        client.send(vec![(create, open(name).into()), (close, request.into())]).await;
        let (first, _) = client.receive().await.unwrap();
        let (second, _) = client.receive().await.unwrap();
        assert_eq!((first.status, second.status), (expected, expected));
        assert_eq!(second.session_id, client.session);
        assert!(second.flags.contains(HeaderFlags::RELATED_OPERATIONS));
    }
    // The first of a compound has nothing before it.
    let mut client = WireClient::on_share(&node, "IPC$").await;
    let mut header = client.header(Opcode::CLOSE);
    header.flags |= HeaderFlags::RELATED_OPERATIONS;
    client.send(vec![(header, CloseRequest::default().into())]).await;
    let (header, _) = client.receive().await.unwrap();
    assert_eq!(header.status, NtStatus::INVALID_PARAMETER);
}

#[tokio::test]
async fn a_pipe_is_bound_to() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "IPC$").await;
    client.encrypt = true;
    let (_, response) = client.call(open("srvsvc")).await;
    let Response::Create(created) = response else { panic!("{response:?}") };
    let file_id = created.file_id;
    let bind = Bind {
        max_xmit_frag: 4280,
        max_recv_frag: 4280,
        assoc_group: 0,
        contexts: vec![PresentationContext {
            id: 0,
            interface: srvsvc::INTERFACE,
            transfer_syntaxes: vec![SyntaxId::NDR32],
        }],
    };
    let data = Bytes::from(Pdu::whole(1, PduBody::Bind(bind)).encode());
    let (header, _) = client.call(WriteRequest { file_id, data, ..Default::default() }).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    let read = ReadRequest { file_id, length: 20, ..ReadRequest::default() };
    let (header, response) = client.call(read.clone()).await;
    assert_eq!(header.status, NtStatus::BUFFER_OVERFLOW);
    let Response::Read(first) = response else { panic!("{response:?}") };
    let (_, response) = client.call(ReadRequest { length: 4280, ..read }).await;
    let Response::Read(second) = response else { panic!("{response:?}") };
    let packet = [first.data, second.data].concat();
    assert!(matches!(Pdu::decode(&packet).unwrap().body, PduBody::BindAck(_)));
}

#[tokio::test]
async fn what_waits_gets_an_interim_response_and_then_its_answer() {
    let (node, _) = node();
    let mut holder = WireClient::on_share(&node, "data").await;
    let mut waiter = WireClient::on_share(&node, "data").await;
    let held = open_file(&mut holder, "f").await;
    let wanted = open_file(&mut waiter, "f").await;
    let (header, _) = holder.call(lock(held, LockFlags::EXCLUSIVE_LOCK)).await;
    assert_eq!(header.status, NtStatus::SUCCESS);

    let header = waiter.header(Opcode::LOCK);
    waiter.send(vec![(header, lock(wanted, LockFlags::EXCLUSIVE_LOCK).into())]).await;
    let (interim, _) = waiter.receive().await.unwrap();
    assert_eq!((interim.status, interim.message_id), (NtStatus::PENDING, header.message_id));
    assert!(!interim.flags.contains(HeaderFlags::SIGNED) && interim.credits > 0);
    // Others are answered meanwhile.
    assert_eq!(waiter.call(EchoRequest).await.0.status, NtStatus::SUCCESS);

    let (header, _) = holder.call(lock(held, LockFlags::UNLOCK)).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    let (last, _) = waiter.receive().await.unwrap();
    assert_eq!((last.status, last.credits), (NtStatus::SUCCESS, 0));
    assert_eq!(last.async_id(), interim.async_id());
    assert!(last.flags.contains(HeaderFlags::SIGNED));
}

#[tokio::test]
async fn what_waits_can_be_cancelled() {
    let (node, _) = node();
    let mut holder = WireClient::on_share(&node, "data").await;
    let mut waiter = WireClient::on_share(&node, "data").await;
    let held = open_file(&mut holder, "f").await;
    let wanted = open_file(&mut waiter, "f").await;
    holder.call(lock(held, LockFlags::EXCLUSIVE_LOCK)).await;
    let header = waiter.header(Opcode::LOCK);
    waiter.send(vec![(header, lock(wanted, LockFlags::EXCLUSIVE_LOCK).into())]).await;
    let (interim, _) = waiter.receive().await.unwrap();
    // CANCEL has the interim response's id, and no message id of its own.
    let mut cancel = interim;
    (cancel.command, cancel.flags) = (Opcode::CANCEL, HeaderFlags::ASYNC_COMMAND);
    waiter.send(vec![(cancel, CancelRequest.into())]).await;
    let (last, _) = waiter.receive().await.unwrap();
    assert_eq!((last.status, last.message_id), (NtStatus::CANCELLED, header.message_id));
    assert_eq!(waiter.call(EchoRequest).await.0.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn a_compound_that_closes_what_it_read_is_answered() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    let data = Bytes::from_static(b"hello");
    client.call(WriteRequest { file_id, data, ..Default::default() }).await;
    let create = client.header(Opcode::CREATE);
    let mut read = client.header(Opcode::READ);
    let mut close = client.header(Opcode::CLOSE);
    read.flags |= HeaderFlags::RELATED_OPERATIONS;
    close.flags |= HeaderFlags::RELATED_OPERATIONS;
    let request = CreateRequest { share_access: ShareAccess(7), ..open("f") };
    let from = ReadRequest { file_id: FileId::ANY, length: 100, ..Default::default() };
    let last = CloseRequest { file_id: FileId::ANY, ..Default::default() };
    client.send(vec![(create, request.into()), (read, from.into()), (close, last.into())]).await;
    let (first, _) = client.receive().await.unwrap();
    let (second, response) = client.receive().await.unwrap();
    let (third, _) = client.receive().await.unwrap();
    let statuses = [first.status, second.status, third.status];
    assert_eq!(statuses, [NtStatus::SUCCESS; 3]);
    assert!(matches!(response, Response::Read(read) if read.data == b"hello"[..]));
}

#[tokio::test]
async fn a_lost_connection_keeps_what_was_promised_to_last() {
    let (node, cluster) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    open_file(&mut client, "plain").await;
    let durable = DurableHandleRequestV2 {
        timeout: 0,
        flags: DurableHandleFlags::PERSISTENT,
        create_guid: Guid([9; 16]),
    };
    let contexts =
        CreateContexts { durable_request_v2: Some(durable), ..CreateContexts::default() };
    let request = CreateRequest {
        desired_access: AccessMask::FILE_ALL,
        create_disposition: CreateDisposition::OPEN_IF,
        contexts,
        ..open("lasting")
    };
    let (header, _) = client.call(request).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    assert_eq!(cluster.state().open_count(), 2);
    let session = client.session;
    drop(client);
    while cluster.state().session(session).is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(cluster.state().open_count(), 1, "the persistent open waits for its client");
    cluster.pass(Duration::from_secs(200));
    assert_eq!(cluster.state().open_count(), 0, "but not for ever");
}

#[tokio::test]
async fn without_a_leader_nothing_is_refused_for_good() {
    let (node, cluster) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    cluster.set_leaderless(true);
    let request = CreateRequest { create_disposition: CreateDisposition::OPEN_IF, ..open("f") };
    assert_eq!(client.call(request).await.0.status, NtStatus::SERVER_UNAVAILABLE);
    // A share that may just have been made, and a password that may just have been changed.
    let request = TreeConnectRequest { path: r"\\h\new".to_owned(), ..Default::default() };
    let header = client.header(Opcode::TREE_CONNECT);
    client.send(vec![(header, request.into())]).await;
    assert!(client.receive().await.is_none(), "the connection is closed");
    for password in ["other", PASSWORD] {
        let mut client = WireClient::connect(&node);
        client.negotiate().await;
        assert_eq!(client.try_log_on(USER, password, SessionId(0)).await, None);
    }
    // What could not be told to the log is told later.
    assert_eq!(cluster.state().sessions().count(), 1);
    cluster.set_leaderless(false);
    while cluster.state().sessions().count() > 0 {
        tokio::task::yield_now().await;
    }
}
