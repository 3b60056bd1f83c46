//! CREATE, and what it may do: read-only shares and files, replays, tree connects that end.

use std::time::Duration;

use holdfast_cluster::command::{Command, ShareSettings};
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::NtStatus;
use holdfast_proto::header::HeaderFlags;
use holdfast_proto::msg::create::{DurableHandleFlags, DurableHandleRequestV2, QueryMaximalAccess};
use holdfast_proto::msg::tree_connect::ShareCapabilities;
use holdfast_proto::msg::{
    CloseRequest, CreateContexts, CreateRequest, CreateResponse, FileId, ReadRequest, Request,
    Response, TreeConnectRequest, TreeDisconnectRequest, WriteRequest,
};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{
    AccessMask, CreateDisposition, FileAttributes, Guid, ShareAccess, VolumeId,
};

use super::tests::{node, open, open_file};
use crate::limits;
use crate::testing::WireClient;

async fn created(client: &mut WireClient, request: CreateRequest) -> CreateResponse {
    let (header, response) = client.call(request).await;
    let Response::Create(created) = response else { panic!("{:?}", header.status) };
    created
}

/// Makes a READONLY file and closes it.
async fn make_read_only(client: &mut WireClient, name: &str) {
    let request = CreateRequest {
        desired_access: AccessMask::FILE_ALL,
        create_disposition: CreateDisposition::CREATE,
        file_attributes: FileAttributes::READONLY,
        ..open(name)
    };
    let file_id = created(client, request).await.file_id;
    client.call(CloseRequest { file_id, ..Default::default() }).await;
}

#[tokio::test]
async fn a_read_only_share_is_not_overwritten() {
    let (node, cluster) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    client.call(WriteRequest { file_id, data: "kept".into(), ..Default::default() }).await;
    client.call(CloseRequest { file_id, ..Default::default() }).await;
    let settings = ShareSettings {
        name: "archive".to_owned(),
        comment: String::new(),
        volume: VolumeId(1),
        path: String::new(),
        continuously_available: true,
        encrypt: false,
        read_only: true,
        ca_timeout_millis: 0,
    };
    cluster.apply(Command::PutShare { settings, replace: false });
    let mut client = WireClient::on_share(&node, "archive").await;
    for disposition in [
        CreateDisposition::OVERWRITE,
        CreateDisposition::OVERWRITE_IF,
        CreateDisposition::SUPERSEDE,
    ] {
        let request = CreateRequest { create_disposition: disposition, ..open("f") };
        assert_eq!(client.call(request).await.0.status, NtStatus::ACCESS_DENIED);
    }
    assert_eq!(created(&mut client, open("f")).await.end_of_file, 4);
}

#[tokio::test]
async fn to_overwrite_is_to_write_for_whoever_denies_it() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    client.call(WriteRequest { file_id, data: "kept".into(), ..Default::default() }).await;
    client.call(CloseRequest { file_id, ..Default::default() }).await;
    let reader = CreateRequest { share_access: ShareAccess::READ, ..open("f") };
    created(&mut client, reader.clone()).await;
    let overwriter = CreateRequest {
        create_disposition: CreateDisposition::OVERWRITE_IF,
        share_access: ShareAccess(7),
        ..reader.clone()
    };
    assert_eq!(client.call(overwriter).await.0.status, NtStatus::SHARING_VIOLATION);
    assert_eq!(created(&mut client, reader).await.end_of_file, 4);
}

#[tokio::test]
async fn all_that_is_allowed_on_a_read_only_file_is_not_to_write() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    make_read_only(&mut client, "f").await;
    let contexts = CreateContexts {
        max_access: Some(QueryMaximalAccess::default()),
        ..CreateContexts::default()
    };
    let request =
        CreateRequest { desired_access: AccessMask::MAXIMUM_ALLOWED, contexts, ..open("f") };
    let created = created(&mut client, request).await;
    let told = created.contexts.max_access.expect("an answer").maximal_access;
    assert!(told.contains(AccessMask::READ_DATA | AccessMask::DELETE), "{told:?}");
    assert!(!told.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA), "{told:?}");
    let file_id = created.file_id;
    let write = WriteRequest { file_id, data: "x".into(), ..Default::default() };
    assert_eq!(client.call(write).await.0.status, NtStatus::ACCESS_DENIED);
    let read = ReadRequest { file_id, length: 1, ..Default::default() };
    assert_eq!(client.call(read).await.0.status, NtStatus::END_OF_FILE);
}

#[tokio::test]
async fn a_replayed_create_is_not_held_up_by_its_own_attributes() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let durable = DurableHandleRequestV2 {
        timeout: 0,
        flags: DurableHandleFlags::PERSISTENT,
        create_guid: Guid([9; 16]),
    };
    for (name, disposition) in
        [("a", CreateDisposition::OPEN_IF), ("b", CreateDisposition::OVERWRITE_IF)]
    {
        let durable =
            DurableHandleRequestV2 { create_guid: Guid([name.as_bytes()[0]; 16]), ..durable };
        let contexts =
            CreateContexts { durable_request_v2: Some(durable), ..CreateContexts::default() };
        let request = CreateRequest {
            desired_access: AccessMask::FILE_ALL,
            create_disposition: disposition,
            file_attributes: FileAttributes::READONLY,
            share_access: ShareAccess(7),
            contexts,
            ..open(name)
        };
        let first = created(&mut client, request.clone()).await;
        let mut header = client.header(Opcode::CREATE);
        header.flags |= HeaderFlags::REPLAY_OPERATION;
        client.send(vec![(header, request.clone().into())]).await;
        let (header, response) = client.receive().await.expect("an answer");
        let Response::Create(again) = response else { panic!("{name}: {:?}", header.status) };
        assert_eq!((again.file_id, again.create_action), (first.file_id, first.create_action));
        // A flag alone opens nothing.
        let mut other = request;
        other.contexts.durable_request_v2 =
            Some(DurableHandleRequestV2 { create_guid: Guid([0xEE; 16]), ..durable });
        let mut header = client.header(Opcode::CREATE);
        header.flags |= HeaderFlags::REPLAY_OPERATION;
        client.send(vec![(header, other.into())]).await;
        let (header, _) = client.receive().await.expect("an answer");
        assert_eq!(header.status, NtStatus::ACCESS_DENIED);
    }
}

#[tokio::test]
async fn nothing_new_is_persistent_on_a_volume_that_failed() {
    let (node, cluster) = node();
    let is_available = async |client: &mut WireClient, guid: u8| {
        let connect = TreeConnectRequest { path: r"\\h\data".to_owned(), ..Default::default() };
        let (header, response) = client.call(connect).await;
        let Response::TreeConnect(tree) = response else { panic!("{:?}", header.status) };
        let durable = DurableHandleRequestV2 {
            timeout: 0,
            flags: DurableHandleFlags::PERSISTENT,
            create_guid: Guid([guid; 16]),
        };
        let contexts =
            CreateContexts { durable_request_v2: Some(durable), ..CreateContexts::default() };
        let request = CreateRequest {
            create_disposition: CreateDisposition::OPEN_IF,
            share_access: ShareAccess(7),
            contexts,
            ..open("f")
        };
        let granted = created(client, request).await.contexts.durable_v2;
        let is_persistent =
            granted.is_some_and(|granted| granted.flags == DurableHandleFlags::PERSISTENT);
        (tree.capabilities.contains(ShareCapabilities::CONTINUOUS_AVAILABILITY), is_persistent)
    };
    let mut client = WireClient::on_share(&node, "data").await;
    let judged = |unfit| Command::JudgeVolume { volume: VolumeId(1), unfit };
    assert_eq!(is_available(&mut client, 1).await, (true, true));
    cluster.apply(judged(Some("data: stale".to_owned())));
    assert_eq!(is_available(&mut client, 2).await, (false, false));
    let settings = cluster.state().share_by_name("data").unwrap().settings.clone();
    let put = |settings| cluster.apply(Command::PutShare { settings, replace: true });
    assert_eq!(put(settings.clone()), Outcome::Refused(Refusal::UnfitVolume));
    let plain = ShareSettings { continuously_available: false, ..settings.clone() };
    assert_eq!(put(plain), Outcome::Done);
    cluster.apply(judged(None));
    assert_eq!(put(settings), Outcome::Done);
    assert_eq!(is_available(&mut client, 3).await, (true, true));
}

#[tokio::test]
async fn a_create_that_meets_the_end_of_its_tree_connect_leaves_no_open() {
    let (node, cluster) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    open_file(&mut client, "other").await;
    // The end of the tree connect is held up on its way to the log.
    cluster.set_leaderless(true);
    let end = client.header(Opcode::TREE_DISCONNECT);
    client.send(vec![(end, TreeDisconnectRequest.into())]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    cluster.set_leaderless(false);
    let request = CreateRequest {
        create_disposition: CreateDisposition::OPEN_IF,
        share_access: ShareAccess::NONE,
        ..open("f")
    };
    let second = client.header(Opcode::TREE_DISCONNECT);
    let create = client.header(Opcode::CREATE);
    client.send(vec![(create, Request::from(request.clone()))]).await;
    client.send(vec![(second, TreeDisconnectRequest.into())]).await;
    let mut statuses = Vec::new();
    while statuses.len() < 3 {
        let (header, _) = client.receive().await.expect("an answer");
        if header.status != NtStatus::PENDING {
            statuses.push((header.message_id, header.status));
        }
    }
    statuses.sort_by_key(|(id, _)| *id);
    let statuses: Vec<NtStatus> = statuses.into_iter().map(|(_, status)| status).collect();
    let gone = NtStatus::NETWORK_NAME_DELETED;
    assert_eq!(statuses, [NtStatus::SUCCESS, gone, gone]);
    assert_eq!(client.tree_connect("data").await, NtStatus::SUCCESS);
    assert_eq!(client.call(request).await.0.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn no_path_is_deeper_than_an_open_may_keep() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let deep = |depth: usize| open(&vec!["d"; depth].join("\\"));
    let status = client.call(deep(255)).await.0.status;
    assert_eq!(status, NtStatus::OBJECT_PATH_NOT_FOUND);
    assert_eq!(client.call(deep(256)).await.0.status, NtStatus::OBJECT_NAME_INVALID);
}

#[tokio::test]
async fn a_session_has_so_many_pipes_and_no_more() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "IPC$").await;
    let mut last = FileId::ANY;
    for _ in 0..limits::PIPES_PER_SESSION_MAX {
        last = created(&mut client, open("srvsvc")).await.file_id;
    }
    let refused = client.call(open("srvsvc")).await.0.status;
    assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
    client.call(CloseRequest { file_id: last, ..Default::default() }).await;
    created(&mut client, open("srvsvc")).await;
}
