//! Extended attributes: with a CREATE, set, and told of bit by bit, by number and by name
//! ([MS-SMB2] 3.3.5.9.1, 3.3.5.20.1, 3.3.5.21.1).

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::info::file::{EaEntry, FileFullEaInformation, FileGetEaInformation};
use holdfast_proto::info::{FileInformationClass as Class, Information};
use holdfast_proto::msg::create::ExtAttributes;
use holdfast_proto::msg::query_info::{InfoType, QueryInfoFlags, QueryInfoRequest};
use holdfast_proto::msg::{
    CloseRequest, CreateContexts, CreateRequest, FileId, Response, SetInfoRequest,
};
use holdfast_proto::types::{AccessMask, CreateDisposition, CreateOptions, ShareAccess};
use holdfast_proto::wire::{Reader, Writer};

use super::tests::{node, open, open_file};
use crate::testing::WireClient;

fn encoded(information: &impl Information) -> Bytes {
    let mut w = Writer::new();
    information.encode(&mut w);
    w.into_bytes()
}

fn list(names: &[&str]) -> Bytes {
    let entry = |name: &&str| EaEntry {
        flags: 0,
        name: name.as_bytes().to_vec(),
        value: name.to_lowercase().into_bytes(),
    };
    encoded(&FileFullEaInformation(names.iter().map(entry).collect()))
}

/// A CREATE that brings a list.
fn create(name: &str, disposition: CreateDisposition, data: Bytes) -> CreateRequest {
    CreateRequest {
        desired_access: AccessMask::FILE_ALL,
        share_access: ShareAccess(7),
        create_disposition: disposition,
        contexts: CreateContexts {
            ext_attributes: Some(ExtAttributes { data }),
            ..CreateContexts::default()
        },
        ..open(name)
    }
}

fn query(file_id: FileId) -> QueryInfoRequest {
    QueryInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: Class::FULL_EA.0,
        output_buffer_length: 1000,
        file_id,
        ..Default::default()
    }
}

/// The names that a query is told, or its status.
async fn told(
    client: &mut WireClient,
    request: QueryInfoRequest,
) -> Result<(NtStatus, Vec<String>), NtStatus> {
    let (header, response) = client.call(request).await;
    let Response::QueryInfo(told) = response else { return Err(header.status) };
    let list = FileFullEaInformation::decode(&mut Reader::of(&told.output)).unwrap();
    let name = |entry: EaEntry| {
        let name = String::from_utf8(entry.name).unwrap();
        assert_eq!(entry.value, name.to_lowercase().as_bytes());
        name
    };
    Ok((header.status, list.0.into_iter().map(name).collect()))
}

fn whole(names: &[&str]) -> Result<(NtStatus, Vec<String>), NtStatus> {
    Ok((NtStatus::SUCCESS, names.iter().map(|name| name.to_string()).collect()))
}

fn part(names: &[&str]) -> Result<(NtStatus, Vec<String>), NtStatus> {
    whole(names).map(|(_, names)| (NtStatus::BUFFER_OVERFLOW, names))
}

#[tokio::test]
async fn a_list_that_comes_with_a_create_is_for_the_file_that_it_makes() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let broken = Bytes::from_static(b"broken");
    let mut made = async |disposition, list| {
        let (header, response) = client.call(create("f", disposition, list)).await;
        let Response::Create(made) = response else { return Err(header.status) };
        let told = told(&mut client, query(made.file_id)).await;
        let close = CloseRequest { file_id: made.file_id, ..Default::default() };
        assert_eq!(client.call(close).await.0.status, NtStatus::SUCCESS);
        told
    };
    let refused = made(CreateDisposition::CREATE, broken.clone()).await;
    assert_eq!(refused, Err(NtStatus::EA_LIST_INCONSISTENT));
    let refused = made(CreateDisposition::OPEN, list(&["ONE"])).await;
    assert_eq!(refused, Err(NtStatus::OBJECT_NAME_NOT_FOUND), "nothing was made");
    let new = made(CreateDisposition::CREATE, list(&["ONE", "TWO"])).await;
    assert_eq!(new, whole(&["ONE", "TWO"]));
    // 3.3.5.9.1: to a file that is there it means nothing, whatever it is.
    for ignored in [list(&["THREE"]), broken.clone()] {
        for disposition in [CreateDisposition::OPEN, CreateDisposition::OPEN_IF] {
            assert_eq!(made(disposition, ignored.clone()).await, whole(&["ONE", "TWO"]));
        }
    }
    let anew = made(CreateDisposition::OVERWRITE_IF, broken).await;
    assert_eq!(anew, Err(NtStatus::NO_EAS_ON_FILE));
    let knowing_none = CreateRequest {
        create_options: CreateOptions::NO_EA_KNOWLEDGE,
        ..create("f", CreateDisposition::OPEN, list(&["ONE"]))
    };
    assert_eq!(client.call(knowing_none).await.0.status, NtStatus::ACCESS_DENIED);
}

#[tokio::test]
async fn a_scan_goes_on_where_it_stopped() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    assert_eq!(told(&mut client, query(file_id)).await, Err(NtStatus::NO_EAS_ON_FILE));
    let set = SetInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: Class::FULL_EA.0,
        file_id,
        buffer: list(&["A", "B", "C"]),
        ..Default::default()
    };
    assert_eq!(client.call(set.clone()).await.0.status, NtStatus::SUCCESS);

    // Room for two of twelve bytes each, but not for three.
    let two = QueryInfoRequest { output_buffer_length: 30, ..query(file_id) };
    assert_eq!(told(&mut client, two.clone()).await, part(&["A", "B"]));
    assert_eq!(told(&mut client, two.clone()).await, whole(&["C"]));
    assert_eq!(told(&mut client, two.clone()).await, Err(NtStatus::NO_EAS_ON_FILE));
    let anew = QueryInfoRequest { flags: QueryInfoFlags::RESTART_SCAN, ..two };
    assert_eq!(told(&mut client, anew).await, part(&["A", "B"]));
    let single = QueryInfoRequest { flags: QueryInfoFlags::RETURN_SINGLE_ENTRY, ..query(file_id) };
    assert_eq!(told(&mut client, single).await, whole(&["C"]));
    let none = QueryInfoRequest {
        output_buffer_length: 5,
        flags: QueryInfoFlags::RESTART_SCAN,
        ..query(file_id)
    };
    assert_eq!(told(&mut client, none).await, Err(NtStatus::BUFFER_TOO_SMALL));

    // By number, which leaves the scan alone, and so do names.
    for (index, expected) in [
        (0, Err(NtStatus::NONEXISTENT_EA_ENTRY)),
        (1, whole(&["A", "B", "C"])),
        (3, whole(&["C"])),
        (4, Err(NtStatus::NONEXISTENT_EA_ENTRY)),
    ] {
        let from = QueryInfoRequest {
            additional_information: index,
            flags: QueryInfoFlags::INDEX_SPECIFIED | QueryInfoFlags::RESTART_SCAN,
            ..query(file_id)
        };
        assert_eq!(told(&mut client, from).await, expected, "{index}");
    }
    let names = FileGetEaInformation(vec![b"c".to_vec(), b"none".to_vec(), b"A".to_vec()]);
    let by_name = QueryInfoRequest { input: encoded(&names), ..query(file_id) };
    assert_eq!(told(&mut client, by_name.clone()).await, whole(&["C", "A"]));
    let broken = QueryInfoRequest { input: Bytes::from_static(b"broken!"), ..by_name };
    assert_eq!(told(&mut client, broken).await, Err(NtStatus::EA_LIST_INCONSISTENT));
    assert_eq!(told(&mut client, query(file_id)).await, whole(&["A", "B", "C"]));

    let broken = SetInfoRequest { buffer: Bytes::from_static(b"broken!"), ..set.clone() };
    assert_eq!(client.call(broken).await.0.status, NtStatus::EA_LIST_INCONSISTENT);
    // One that cannot be spoils the list, and nothing of it is set.
    let unfit = SetInfoRequest { buffer: list(&["D", "*"]), ..set };
    assert_eq!(client.call(unfit).await.0.status, NtStatus::INVALID_EA_NAME);
    let anew = QueryInfoRequest { flags: QueryInfoFlags::RESTART_SCAN, ..query(file_id) };
    assert_eq!(told(&mut client, anew).await, whole(&["A", "B", "C"]));
}
