//! CREATEs that go wrong between the cluster's word and the answer: what they leave behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use holdfast_cluster::state::LeaseId;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{
    CreateContexts, DurableHandleFlags, DurableHandleReconnectV2, DurableHandleRequestV2,
    ImpersonationLevel, LeaseContext, LeaseFlags, LeaseV2,
};
use holdfast_proto::msg::{CloseRequest, CreateRequest, FileId, Response, WriteRequest};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{
    AccessMask, CreateDisposition, CreateOptions, FileAttributes, FileTime, Guid, LeaseState,
    OplockLevel, SessionId, ShareAccess, VolumeId,
};

use parking_lot::Mutex;

use crate::leftovers::Leftovers;
use crate::node::Node;
use crate::ports::{Cluster, Vfs};
use crate::testing::{self, LocalCluster, PASSWORD, USER, WireClient};
use crate::vfs::VfsError;
use crate::vfs::memory::{Apply, Immediate, MemoryVolume, Operation, Submitted, World};

/// A storage whose descriptors can run out, and whose operations on opens can fail.
#[derive(Default)]
struct Scarce {
    world: Immediate,
    exhausted: AtomicBool,
    failing: Mutex<Option<VfsError>>,
}

impl World for Scarce {
    fn now(&self) -> FileTime {
        self.world.now()
    }

    fn submit(&self, operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        self.world.submit(operation, apply)
    }

    fn fault(&self, operation: &Submitted) -> Option<VfsError> {
        let opens = matches!(operation.operation, Operation::Open { .. });
        if opens {
            return self.exhausted.load(Ordering::Relaxed).then_some(VfsError::TooManyOpenFiles);
        }
        let of_an_open = operation.by.open.is_some();
        of_an_open.then(|| self.failing.lock().clone()).flatten()
    }
}

fn node() -> (Arc<Node>, Arc<LocalCluster>, Arc<Scarce>) {
    let world = Arc::<Scarce>::default();
    let volume: Arc<dyn Vfs> =
        Arc::new(MemoryVolume::in_world(VolumeId(1), 1 << 30, world.clone()));
    let (node, cluster) = testing::node(BTreeMap::from([(VolumeId(1), volume)]));
    (node, cluster, world)
}

fn open(name: &str, create_disposition: CreateDisposition) -> CreateRequest {
    CreateRequest {
        security_flags: 0,
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::FILE_ALL,
        file_attributes: FileAttributes::NONE,
        share_access: ShareAccess(7),
        create_disposition,
        create_options: CreateOptions::NONE,
        name: name.to_owned(),
        contexts: Default::default(),
    }
}

const OPEN: CreateDisposition = CreateDisposition::OPEN;
const OPEN_IF: CreateDisposition = CreateDisposition::OPEN_IF;

async fn status(client: &mut WireClient, request: CreateRequest) -> NtStatus {
    client.call(request).await.0.status
}

async fn opened(client: &mut WireClient, request: CreateRequest) -> FileId {
    let (header, response) = client.call(request).await;
    let Response::Create(created) = response else { panic!("{:?}", header.status) };
    created.file_id
}

async fn close(client: &mut WireClient, file_id: FileId) {
    let request = CloseRequest { file_id, ..CloseRequest::default() };
    assert_eq!(client.call(request).await.0.status, NtStatus::SUCCESS);
}

/// Until it is so; the tasks of the node go on meanwhile.
async fn until(so: impl Fn() -> bool) {
    let waited = async {
        while !so() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), waited).await.expect("it is so");
}

#[tokio::test]
async fn an_open_that_fails_deletes_nothing_and_stays_nowhere() {
    let (node, cluster, storage) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file = opened(&mut client, open("f", OPEN_IF)).await;
    close(&mut client, file).await;
    storage.exhausted.store(true, Ordering::Relaxed);
    let deleting =
        CreateRequest { create_options: CreateOptions::DELETE_ON_CLOSE, ..open("f", OPEN) };
    let failed = status(&mut client, deleting).await;
    assert_eq!(failed, NtStatus::TOO_MANY_OPENED_FILES);
    assert_eq!(cluster.state().open_count(), 0);
    assert_eq!(cluster.state().duties().count(), 0);
    storage.exhausted.store(false, Ordering::Relaxed);
    assert_eq!(status(&mut client, open("f", OPEN)).await, NtStatus::SUCCESS);
}

fn persistent(name: &str) -> CreateRequest {
    let durable = DurableHandleRequestV2 {
        timeout: 0,
        flags: DurableHandleFlags::PERSISTENT,
        create_guid: Guid([9; 16]),
    };
    let contexts =
        CreateContexts { durable_request_v2: Some(durable), ..CreateContexts::default() };
    CreateRequest { contexts, ..open(name, OPEN_IF) }
}

fn again(name: &str, file_id: FileId) -> CreateRequest {
    let reconnect = DurableHandleReconnectV2 {
        file_id,
        create_guid: Guid([9; 16]),
        flags: DurableHandleFlags::PERSISTENT,
    };
    let contexts =
        CreateContexts { durable_reconnect_v2: Some(reconnect), ..CreateContexts::default() };
    CreateRequest { contexts, ..open(name, OPEN) }
}

#[tokio::test]
async fn a_reconnect_that_failed_can_be_sent_again() {
    let (node, _cluster, storage) = node();
    let mut first = WireClient::on_share(&node, "data").await;
    let file = opened(&mut first, persistent("f")).await;
    first.hang_up().await;
    until(|| node.sessions.is_empty()).await;
    let mut second = WireClient::on_share(&node, "data").await;
    storage.exhausted.store(true, Ordering::Relaxed);
    let failed = status(&mut second, again("f", file)).await;
    assert_eq!(failed, NtStatus::TOO_MANY_OPENED_FILES);
    storage.exhausted.store(false, Ordering::Relaxed);
    // On the same session; and once it holds the open, no more.
    assert_eq!(status(&mut second, again("f", file)).await, NtStatus::SUCCESS);
    assert_eq!(status(&mut second, again("f", file)).await, NtStatus::OBJECT_NAME_NOT_FOUND);
    second.hang_up().await;
    until(|| node.sessions.is_empty()).await;
    // On another one, while the first is still there.
    let mut third = WireClient::on_share(&node, "data").await;
    storage.exhausted.store(true, Ordering::Relaxed);
    let failed = status(&mut third, again("f", file)).await;
    assert_eq!(failed, NtStatus::TOO_MANY_OPENED_FILES);
    storage.exhausted.store(false, Ordering::Relaxed);
    let mut fourth = WireClient::on_share(&node, "data").await;
    assert_eq!(status(&mut fourth, again("f", file)).await, NtStatus::SUCCESS);
    assert_eq!(status(&mut third, again("f", file)).await, NtStatus::OBJECT_NAME_NOT_FOUND);
}

#[tokio::test]
async fn a_reconnect_whose_answer_failed_can_be_sent_again() {
    let (node, _cluster, storage) = node();
    let mut first = WireClient::on_share(&node, "data").await;
    let file = opened(&mut first, persistent("f")).await;
    first.hang_up().await;
    until(|| node.sessions.is_empty()).await;
    let mut second = WireClient::on_share(&node, "data").await;
    *storage.failing.lock() = Some(VfsError::Unavailable);
    assert_eq!(status(&mut second, again("f", file)).await, NtStatus::SERVER_UNAVAILABLE);
    *storage.failing.lock() = None;
    assert_eq!(status(&mut second, again("f", file)).await, NtStatus::SUCCESS);
}

#[tokio::test]
async fn a_node_that_the_storage_refuses_is_at_its_end() {
    let (node, cluster, storage) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = opened(&mut client, open("f", OPEN_IF)).await;
    *storage.failing.lock() = Some(VfsError::Fenced);
    let data = Bytes::from_static(b"late");
    let header = client.header(Opcode::WRITE);
    let request = WriteRequest { file_id, data, ..WriteRequest::default() };
    client.send(vec![(header, request.into())]).await;
    assert!(client.receive().await.is_none(), "nothing is said about the open");
    assert!(cluster.node_lease().is_fenced());
}

#[tokio::test]
async fn what_is_decided_after_its_request_gave_up_is_seen_through() {
    let (node, cluster, _) = node();
    let mut leftovers = Leftovers::default();
    let mut client = WireClient::on_share(&node, "data").await;
    let file = opened(&mut client, open("f", OPEN_IF)).await;
    close(&mut client, file).await;
    let mut late = async |request: CreateRequest| {
        cluster.set_late(true);
        assert_eq!(status(&mut client, request).await, NtStatus::SERVER_UNAVAILABLE);
        cluster.apply_late();
        cluster.set_late(false);
    };
    // An intent: its name would be blocked for as long as the node lives.
    late(open("new", OPEN_IF)).await;
    assert_eq!(cluster.state().intents().count(), 1);
    leftovers.look(&node);
    tokio::task::yield_now().await;
    assert_eq!(cluster.state().intents().count(), 1, "its request may be about to take it up");
    leftovers.look(&node);
    until(|| cluster.state().intents().count() == 0).await;
    // An open: it would keep others out.
    late(open("f", OPEN)).await;
    assert_eq!(cluster.state().open_count(), 1);
    leftovers.look(&node);
    leftovers.look(&node);
    until(|| cluster.state().open_count() == 0).await;
    // A deletion that came of a session's end.
    let deleting =
        CreateRequest { create_options: CreateOptions::DELETE_ON_CLOSE, ..open("f", OPEN) };
    let mut other = WireClient::on_share(&node, "data").await;
    opened(&mut other, deleting).await;
    cluster.set_late(true);
    let session = other.session;
    other.hang_up().await;
    until(|| {
        cluster.apply_late();
        cluster.state().session(session).is_none()
    })
    .await;
    cluster.set_late(false);
    until(|| node.sessions.get(session).is_none()).await;
    assert_eq!(cluster.state().duties().count(), 1);
    leftovers.look(&node);
    leftovers.look(&node);
    until(|| cluster.state().duties().count() == 0).await;
    let mut client = WireClient::on_share(&node, "data").await;
    assert_eq!(status(&mut client, open("f", OPEN)).await, NtStatus::OBJECT_NAME_NOT_FOUND);
}

#[tokio::test]
async fn a_write_is_answered_once_the_lease_as_it_is_now_was_told() {
    let (node, cluster, _) = node();
    let mut reader = WireClient::on_share(&node, "data").await;
    let mut writer = WireClient::connect(&node);
    writer.client_guid = Guid([0xC2; 16]);
    writer.negotiate().await;
    assert_eq!(writer.log_on(USER, PASSWORD, SessionId(0)).await, NtStatus::SUCCESS);
    assert_eq!(writer.tree_connect("data").await, NtStatus::SUCCESS);
    let written = opened(&mut writer, open("f", OPEN_IF)).await;
    let lease = LeaseContext {
        lease_key: Guid([7; 16]),
        lease_state: LeaseState::READ,
        flags: LeaseFlags::NONE,
        v2: Some(LeaseV2::default()),
    };
    let id = LeaseId { client_guid: reader.client_guid, key: lease.lease_key };
    // Each time the lease begins anew, with the epochs of the first.
    for _ in 0..8 {
        let contexts = CreateContexts { lease: Some(lease), ..CreateContexts::default() };
        let request = CreateRequest {
            requested_oplock_level: OplockLevel::LEASE,
            contexts,
            ..open("f", OPEN)
        };
        let read = opened(&mut reader, request).await;
        assert_eq!(cluster.state().lease(id).unwrap().1.state, LeaseState::READ);
        let data = Bytes::from_static(b"new");
        let request = WriteRequest { file_id: written, data, ..WriteRequest::default() };
        assert_eq!(writer.call(request).await.0.status, NtStatus::SUCCESS);
        assert!(!cluster.state().lease(id).unwrap().1.awaits_telling());
        let (_, broken) = reader.receive().await.unwrap();
        assert!(matches!(broken, Response::OplockBreak(_)), "{broken:?}");
        close(&mut reader, read).await;
    }
}
