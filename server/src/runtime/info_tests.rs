//! QUERY_INFO, SET_INFO, QUERY_DIRECTORY and CLOSE: what is told of files, and what may be set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use holdfast_proto::NtStatus;
use holdfast_proto::info::file::{
    FileBasicInformation, FileNameInformation, FileRenameInformation,
};
use holdfast_proto::info::{FileInformationClass as Class, Information};
use holdfast_proto::msg::close::CloseFlags;
use holdfast_proto::msg::query_directory::QueryDirectoryRequest;
use holdfast_proto::msg::query_info::{InfoType, QueryInfoRequest};
use holdfast_proto::msg::set_info::SetInfoRequest;
use holdfast_proto::msg::{CloseRequest, CreateRequest, FileId, Response};
use holdfast_proto::types::{
    AccessMask, CreateDisposition, CreateOptions, FileAttributes, FileTime, ShareAccess, VolumeId,
};
use holdfast_proto::wire::{Reader, Writer};

use super::tests::{node, open, open_file};
use crate::ports::Cluster;
use crate::testing::{self, WireClient};
use crate::vfs::memory::{Apply, Immediate, MemoryVolume, Operation, Submitted, World};
use crate::vfs::{Vfs, VfsError};

fn set(file_id: FileId, class: Class, buffer: impl Into<Bytes>) -> SetInfoRequest {
    SetInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: class.0,
        file_id,
        buffer: buffer.into(),
        ..Default::default()
    }
}

fn encoded(information: &impl Information) -> Vec<u8> {
    let mut w = Writer::new();
    information.encode(&mut w);
    w.into_bytes().to_vec()
}

fn rename(file_id: FileId, name: &str, replace_if_exists: bool) -> SetInfoRequest {
    let information =
        FileRenameInformation { replace_if_exists, root_directory: 0, name: name.to_owned() };
    set(file_id, Class::RENAME, encoded(&information))
}

#[tokio::test]
async fn what_is_not_to_go_is_not_renamed_over() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    let kept = |name: &str, create_options| CreateRequest {
        create_disposition: CreateDisposition::CREATE,
        file_attributes: FileAttributes::READONLY,
        create_options,
        ..open(name)
    };
    for (name, options) in
        [("kept", CreateOptions::NONE), ("directory", CreateOptions::DIRECTORY_FILE)]
    {
        let (_, response) = client.call(kept(name, options)).await;
        let Response::Create(made) = response else { panic!("{name}") };
        client.call(CloseRequest { file_id: made.file_id, ..Default::default() }).await;
        let status = client.call(rename(file_id, name, true)).await.0.status;
        assert_eq!(status, NtStatus::ACCESS_DENIED, "{name}");
        let status = client.call(rename(file_id, name, false)).await.0.status;
        assert_eq!(status, NtStatus::OBJECT_NAME_COLLISION, "{name}");
    }
    assert_eq!(client.call(rename(file_id, "g", true)).await.0.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn a_name_is_told_as_it_is_after_a_rename_through_another_open() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let renamer = open_file(&mut client, "before").await;
    let file_id = open_file(&mut client, "before").await;
    assert_eq!(client.call(rename(renamer, "after", false)).await.0.status, NtStatus::SUCCESS);
    let request = QueryInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: Class::NORMALIZED_NAME.0,
        output_buffer_length: 1000,
        file_id,
        ..Default::default()
    };
    let (header, response) = client.call(request).await;
    let Response::QueryInfo(told) = response else { panic!("{:?}", header.status) };
    let told = FileNameInformation::decode(&mut Reader::of(&told.output)).unwrap();
    assert_eq!(told.name, "after");
}

#[tokio::test]
async fn values_that_mean_nothing_are_wrong_parameters() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    for (time, expected) in [
        (-1i64, NtStatus::SUCCESS),
        (-2, NtStatus::SUCCESS),
        (-3, NtStatus::INVALID_PARAMETER),
        (i64::MIN, NtStatus::INVALID_PARAMETER),
    ] {
        let times = FileBasicInformation {
            last_write_time: FileTime(time as u64),
            ..FileBasicInformation::default()
        };
        let status = client.call(set(file_id, Class::BASIC, encoded(&times))).await.0.status;
        assert_eq!(status, expected, "{time}");
    }
    let information = FileRenameInformation { name: "other".to_owned(), ..Default::default() };
    let whole = encoded(&information);
    for length in [9u8, 200] {
        let mut buffer = whole.clone();
        buffer[16] = length;
        let status = client.call(set(file_id, Class::RENAME, buffer)).await.0.status;
        assert_eq!(status, NtStatus::INVALID_PARAMETER, "a name of {length} bytes");
    }
    let short = whole[..10].to_vec();
    let status = client.call(set(file_id, Class::RENAME, short)).await.0.status;
    assert_eq!(status, NtStatus::INFO_LENGTH_MISMATCH);
}

#[tokio::test]
async fn a_pattern_is_no_longer_than_a_name() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let directory = CreateRequest {
        create_options: CreateOptions::DIRECTORY_FILE,
        share_access: ShareAccess(7),
        ..open("")
    };
    let (_, response) = client.call(directory).await;
    let Response::Create(created) = response else { panic!("{response:?}") };
    let list = |pattern: String| QueryDirectoryRequest {
        file_information_class: Class::ID_BOTH_DIRECTORY.0,
        file_id: created.file_id,
        file_name: pattern,
        output_buffer_length: 60_000,
        ..Default::default()
    };
    let status = client.call(list("*a".repeat(128))).await.0.status;
    assert_eq!(status, NtStatus::OBJECT_NAME_INVALID);
    let status = client.call(list("*".repeat(255))).await.0.status;
    assert_eq!(status, NtStatus::SUCCESS);
}

/// A world in which looks fail once it is told so.
#[derive(Default)]
struct Blind {
    world: Immediate,
    blind: AtomicBool,
}

impl World for Blind {
    fn now(&self) -> FileTime {
        self.world.now()
    }

    fn submit(&self, operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        self.world.submit(operation, apply)
    }

    fn fault(&self, operation: &Submitted) -> Option<VfsError> {
        let blind = self.blind.load(Ordering::Relaxed) && operation.operation == Operation::Look;
        blind.then_some(VfsError::NoSpace)
    }
}

#[tokio::test]
async fn an_open_is_closed_though_its_file_cannot_be_looked_at() {
    let world = Arc::new(Blind::default());
    let volume: Arc<dyn Vfs> =
        Arc::new(MemoryVolume::in_world(VolumeId(1), 1 << 30, world.clone()));
    let (node, cluster) = testing::node(BTreeMap::from([(VolumeId(1), volume)]));
    let mut client = WireClient::on_share(&node, "data").await;
    let request = CreateRequest {
        desired_access: AccessMask::FILE_ALL,
        create_disposition: CreateDisposition::CREATE,
        ..open("f")
    };
    let (_, response) = client.call(request).await;
    let Response::Create(created) = response else { panic!("{response:?}") };
    assert_ne!(created.creation_time, FileTime(0));
    world.blind.store(true, Ordering::Relaxed);
    let flags = CloseFlags::POSTQUERY_ATTRIB;
    let (header, response) = client.call(CloseRequest { flags, file_id: created.file_id }).await;
    let Response::Close(closed) = response else { panic!("{:?}", header.status) };
    assert_eq!((closed.flags, closed.creation_time), (CloseFlags::NONE, FileTime(0)));
    assert_eq!(cluster.state().open_count(), 0);
}
