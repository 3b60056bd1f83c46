//! READ, WRITE and LOCK beside other requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::lock::LockFlags;
use holdfast_proto::msg::{ReadRequest, Request, Response, WriteRequest};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{FileTime, VolumeId};

use super::tests::{lock, node, open_file};
use crate::testing::{self, WireClient};
use crate::vfs::Vfs;
use crate::vfs::memory::{Apply, Immediate, MemoryVolume, Submitted, World};

#[tokio::test]
async fn a_lock_is_held_against_a_request_only_by_a_replica_that_has_caught_up() {
    for writes in [false, true] {
        let (node, cluster) = node();
        let mut holder = WireClient::on_share(&node, "data").await;
        let mut other = WireClient::on_share(&node, "data").await;
        let held = open_file(&mut holder, "f").await;
        let file_id = open_file(&mut other, "f").await;
        let data = Bytes::from_static(b"hello");
        let write = WriteRequest { file_id: held, data, ..Default::default() };
        holder.call(write.clone()).await;
        holder.call(lock(held, LockFlags::EXCLUSIVE_LOCK)).await;
        let request: Request = match writes {
            true => WriteRequest { file_id, ..write }.into(),
            false => ReadRequest { file_id, length: 5, ..Default::default() }.into(),
        };
        let (header, _) = other.call(request.clone()).await;
        assert_eq!(header.status, NtStatus::FILE_LOCK_CONFLICT);
        // It may have been given back meanwhile: without a leader nobody can tell.
        cluster.set_leaderless(true);
        let header = other.header(request.opcode());
        other.send(vec![(header, request)]).await;
        let answer = other.receive().await.map(|(header, _)| header.status);
        assert_eq!(answer, writes.then_some(NtStatus::FILE_NOT_AVAILABLE));
    }
}

/// A world in which every operation lets others go first.
#[derive(Default)]
struct Slow(Immediate);

impl World for Slow {
    fn now(&self) -> FileTime {
        self.0.now()
    }

    fn submit(&self, _operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        Box::pin(async {
            tokio::task::yield_now().await;
            apply();
        })
    }
}

#[tokio::test]
async fn appends_at_the_same_time_follow_each_other() {
    let volume: Arc<dyn Vfs> =
        Arc::new(MemoryVolume::in_world(VolumeId(1), 1 << 30, Arc::new(Slow::default())));
    let (node, _) = testing::node(BTreeMap::from([(VolumeId(1), volume)]));
    let mut client = WireClient::on_share(&node, "data").await;
    let opens = [open_file(&mut client, "f").await, open_file(&mut client, "f").await];
    let count = 8;
    for n in 0..count {
        let data = Bytes::from(vec![b'a' + n; 3]);
        let file_id = opens[usize::from(n % 2)];
        let header = client.header(Opcode::WRITE);
        let write = WriteRequest { file_id, offset: u64::MAX, data, ..Default::default() };
        client.send(vec![(header, write.into())]).await;
    }
    for _ in 0..count {
        let (header, _) = client.receive().await.expect("an answer");
        assert_eq!(header.status, NtStatus::SUCCESS);
    }
    let read = ReadRequest { file_id: opens[0], length: 100, ..Default::default() };
    let (_, response) = client.call(read).await;
    let Response::Read(read) = response else { panic!("{response:?}") };
    let mut pieces: Vec<&[u8]> = read.data.chunks(3).collect();
    pieces.sort();
    let expected: Vec<Vec<u8>> = (0..count).map(|n| vec![b'a' + n; 3]).collect();
    assert_eq!(pieces, expected);
}
