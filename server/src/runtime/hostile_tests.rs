//! Bad input: whatever a client sends, before it has logged on and after, gets a status or ends
//! its own connection; nothing panics, and nobody else notices.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::fsctl::CtlCode;
use holdfast_proto::info::file::{EaEntry, FileFullEaInformation, FileRenameInformation};
use holdfast_proto::info::{FileInformationClass as Class, Information};
use holdfast_proto::msg::create::{AllocationSize, ExtAttributes, QueryMaximalAccess};
use holdfast_proto::msg::ioctl::{IoctlFlags, IoctlRequest};
use holdfast_proto::msg::lock::LockFlags;
use holdfast_proto::msg::query_info::InfoType;
use holdfast_proto::msg::{
    CancelRequest, ChangeNotifyRequest, CloseRequest, CreateContexts, CreateRequest, EchoRequest,
    FileId, FlushRequest, QueryDirectoryRequest, QueryInfoRequest, ReadRequest, Request, Response,
    SetInfoRequest, TreeConnectRequest, WriteRequest,
};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{AccessMask, CreateDisposition, CreateOptions, ShareAccess};
use holdfast_proto::wire::Writer;

use super::tests::{lock, node, open, open_file};
use crate::node::Node;
use crate::testing::{PanicWatch, WireClient};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(20);

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }

    fn byte(&mut self) -> u8 {
        match self.below(8) {
            0 => 0,
            1 => 1,
            2 => 0x7F,
            3 => 0xFF,
            _ => self.below(256) as u8,
        }
    }
}

/// Changes a few bytes of a message, and sometimes its length. Command and message id stay, so
/// that it reaches its handler and its answer can be told.
fn mangle(message: &mut Vec<u8>, numbers: &mut Numbers) {
    const HEADER: usize = 64;
    for _ in 0..=numbers.below(3) {
        let position = match numbers.below(8) {
            // CreditCharge, ChannelSequence, CreditRequest, Flags, NextCommand.
            0 => [6, 7, 8, 9, 14, 15, 16, 17, 18, 19, 20][numbers.below(11)],
            // TreeId and SessionId.
            1 => 36 + numbers.below(12),
            _ => HEADER + numbers.below(message.len() - HEADER),
        };
        message[position] = numbers.byte();
    }
    match numbers.below(10) {
        0 => message.truncate(HEADER + numbers.below(message.len() - HEADER)),
        1 => message.extend((0..numbers.below(300)).map(|n| n as u8)),
        _ => {}
    }
}

fn encoded(information: &impl Information) -> Bytes {
    let mut w = Writer::new();
    information.encode(&mut w);
    w.into_bytes()
}

/// A client with a file and a directory open.
struct Victim {
    client: WireClient,
    file: FileId,
    directory: FileId,
}

impl Victim {
    async fn new(node: &Arc<Node>, encrypt: bool) -> Victim {
        let mut client = WireClient::on_share(node, "data").await;
        client.encrypt = encrypt;
        let file = open_file(&mut client, "f").await;
        let root = CreateRequest {
            create_options: CreateOptions::DIRECTORY_FILE,
            share_access: ShareAccess(7),
            ..open("")
        };
        let (header, response) = client.call(root).await;
        let Response::Create(created) = response else { panic!("{:?}", header.status) };
        Victim { client, file, directory: created.file_id }
    }

    /// A request that is as it should be.
    fn request(&self, numbers: &mut Numbers) -> Request {
        let (file_id, directory) = (self.file, self.directory);
        let eas = FileFullEaInformation(vec![
            EaEntry { flags: 0, name: b"ONE".to_vec(), value: b"1".to_vec() },
            EaEntry { flags: 0, name: b"TWO".to_vec(), value: b"22".to_vec() },
        ]);
        match numbers.below(12) {
            0 => CreateRequest {
                desired_access: AccessMask::FILE_ALL,
                share_access: ShareAccess(7),
                create_disposition: CreateDisposition::OPEN_IF,
                contexts: CreateContexts {
                    max_access: Some(QueryMaximalAccess::default()),
                    allocation_size: Some(AllocationSize { allocation_size: 4096 }),
                    ext_attributes: Some(ExtAttributes { data: encoded(&eas) }),
                    ..CreateContexts::default()
                },
                ..open(["new", "f", "a\\b"][numbers.below(3)])
            }
            .into(),
            1 => CloseRequest { file_id, ..Default::default() }.into(),
            2 => FlushRequest { file_id, ..Default::default() }.into(),
            3 => ReadRequest { file_id, length: 1000, ..Default::default() }.into(),
            4 => WriteRequest { file_id, data: "data".into(), ..Default::default() }.into(),
            5 => {
                let now = LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY;
                lock(file_id, [now, LockFlags::UNLOCK][numbers.below(2)]).into()
            }
            6 => IoctlRequest {
                ctl_code: CtlCode::DFS_GET_REFERRALS,
                file_id: [file_id, FileId::ANY][numbers.below(2)],
                input: "input".into(),
                max_output_response: 1000,
                flags: IoctlFlags::IS_FSCTL,
                ..Default::default()
            }
            .into(),
            7 => QueryDirectoryRequest {
                file_information_class: Class::ID_BOTH_DIRECTORY.0,
                file_id: directory,
                file_name: "*".to_owned(),
                output_buffer_length: 1000,
                ..Default::default()
            }
            .into(),
            8 => ChangeNotifyRequest {
                file_id: directory,
                output_buffer_length: 1000,
                ..Default::default()
            }
            .into(),
            9 => QueryInfoRequest {
                info_type: [InfoType::FILE, InfoType::FILESYSTEM][numbers.below(2)],
                file_info_class: numbers.below(60) as u8,
                output_buffer_length: 1000,
                file_id,
                ..Default::default()
            }
            .into(),
            10 => {
                let name = FileRenameInformation { name: "g".to_owned(), ..Default::default() };
                let (class, buffer) = match numbers.below(3) {
                    0 => (Class::RENAME.0, encoded(&name)),
                    1 => (Class::FULL_EA.0, encoded(&eas)),
                    _ => (numbers.below(60) as u8, Bytes::from_static(&[0; 40])),
                };
                SetInfoRequest {
                    info_type: InfoType::FILE,
                    file_info_class: class,
                    file_id,
                    buffer,
                    ..Default::default()
                }
                .into()
            }
            _ => TreeConnectRequest { path: r"\\h\data".to_owned(), ..Default::default() }.into(),
        }
    }

    /// Sends a message as it is, but protected; the status of its answer, which may be an interim
    /// one, or none if the connection is closed.
    async fn exchange(&mut self, id: u64, message: Vec<u8>) -> Option<NtStatus> {
        self.client.send_protected(message).await;
        loop {
            let answer = tokio::time::timeout(PATIENCE, self.client.receive()).await;
            let (header, _) = answer.expect("a status or a closed connection")?;
            if header.message_id == id {
                return Some(header.status);
            }
        }
    }
}

/// True if only a handler can have come to that.
fn is_from_a_handler(status: NtStatus) -> bool {
    ![
        NtStatus::INVALID_PARAMETER,
        NtStatus::FILE_CLOSED,
        NtStatus::USER_SESSION_DELETED,
        NtStatus::NETWORK_NAME_DELETED,
        NtStatus::FILE_NOT_AVAILABLE,
    ]
    .contains(&status)
}

#[tokio::test]
async fn mangled_requests_of_somebody_who_is_logged_on() {
    let panics = PanicWatch::begin();
    let (node, _) = node();
    let mut bystander = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut bystander, "bystander").await;
    let data = Bytes::from_static(b"untouched");
    bystander.call(WriteRequest { file_id, data: data.clone(), ..Default::default() }).await;

    let mut numbers = Numbers(1);
    let mut reached: BTreeMap<Opcode, u32> = BTreeMap::new();
    let mut closed = 0;
    for encrypt in [false, true] {
        let mut victim = Victim::new(&node, encrypt).await;
        for _ in 0..600 {
            let request = victim.request(&mut numbers);
            let header = victim.client.header(request.opcode());
            let mut message = request.to_message(&header).to_bytes().to_vec();
            mangle(&mut message, &mut numbers);
            let status = victim.exchange(header.message_id, message).await;
            closed += u32::from(status.is_none());
            if status.is_some_and(is_from_a_handler) {
                *reached.entry(request.opcode()).or_default() += 1;
            }
            // What it had open may be gone, or waited for.
            let goes_on = status.is_some_and(|status| status != NtStatus::PENDING);
            if !goes_on || request.opcode() == Opcode::CLOSE {
                victim = Victim::new(&node, encrypt).await;
            }
        }
    }
    assert_eq!(panics.seen(), 0);
    assert!(reached.len() == 12 && reached.values().all(|times| *times >= 5), "{reached:?}");
    assert!(closed > 0);

    let read = ReadRequest { file_id, length: 100, ..Default::default() };
    let (header, response) = bystander.call(read).await;
    assert!(matches!(&response, Response::Read(read) if read.data == data), "{header:?}");
    let mut other = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut other, "other").await;
    let write = WriteRequest { file_id, data, ..Default::default() };
    assert_eq!(other.call(write).await.0.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn mangled_frames_of_somebody_unknown() {
    let panics = PanicWatch::begin();
    let (node, _) = node();
    let file_id = FileId { persistent: 1, volatile: 1 };
    let requests: [Request; 6] = [
        WireClient::offer().into(),
        open("f").into(),
        ReadRequest { file_id, length: 100, ..Default::default() }.into(),
        lock(file_id, LockFlags::UNLOCK).into(),
        TreeConnectRequest { path: r"\\h\data".to_owned(), ..Default::default() }.into(),
        CancelRequest.into(),
    ];
    let mut numbers = Numbers(1);
    for round in 0..300 {
        let mut client = WireClient::connect(&node);
        if round % 2 == 0 {
            client.negotiate().await;
        }
        let request = &requests[numbers.below(requests.len())];
        let header = client.header(request.opcode());
        let mut frame = request.to_message(&header).to_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            let position = numbers.below(frame.len());
            frame[position] = numbers.byte();
        }
        frame.truncate(frame.len() - numbers.below(2) * numbers.below(frame.len()));
        client.send_raw(&frame).await;
        // The node closes it, or goes on: then this does.
        let hung_up = tokio::time::timeout(PATIENCE, client.hang_up());
        hung_up.await.expect("an end of the connection");
    }
    assert_eq!(panics.seen(), 0);
    let mut client = WireClient::logged_on(&node).await;
    assert_eq!(client.call(EchoRequest).await.0.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn commands_that_there_are_not_end_the_connection() {
    let (node, _) = node();
    for command in [0x13u16, 0xFF, 0x100, 0xFFFF] {
        for encrypt in [false, true] {
            let mut client = WireClient::on_share(&node, "data").await;
            client.encrypt = encrypt;
            let header = client.header(Opcode(command));
            let mut message = Request::from(EchoRequest).to_message(&header).to_bytes().to_vec();
            message[12..14].copy_from_slice(&command.to_le_bytes());
            client.send_protected(message).await;
            assert!(client.receive().await.is_none(), "{command:#x}");
        }
    }
}

#[tokio::test]
async fn information_classes_that_there_are_not_are_refused() {
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let file_id = open_file(&mut client, "f").await;
    let unknown_class = NtStatus::INVALID_INFO_CLASS;
    for (info_type, class, expected) in [
        (InfoType::FILE, 0, unknown_class),
        (InfoType::FILE, 200, unknown_class),
        (InfoType::FILE, 255, unknown_class),
        (InfoType(0), Class::BASIC.0, NtStatus::INVALID_PARAMETER),
        (InfoType(5), Class::BASIC.0, NtStatus::INVALID_PARAMETER),
    ] {
        let query = QueryInfoRequest {
            info_type,
            file_info_class: class,
            output_buffer_length: 1000,
            file_id,
            ..Default::default()
        };
        assert_eq!(client.call(query).await.0.status, expected, "{info_type}, {class}");
        let set = SetInfoRequest {
            info_type,
            file_info_class: class,
            file_id,
            buffer: Bytes::from_static(&[0; 40]),
            ..Default::default()
        };
        assert_eq!(client.call(set).await.0.status, expected, "{info_type}, {class}");
    }
    let query = QueryInfoRequest {
        info_type: InfoType::FILESYSTEM,
        file_info_class: 99,
        output_buffer_length: 1000,
        file_id,
        ..Default::default()
    };
    assert_eq!(client.call(query).await.0.status, unknown_class);
    let root = CreateRequest { create_options: CreateOptions::DIRECTORY_FILE, ..open("") };
    let (_, response) = client.call(root).await;
    let Response::Create(created) = response else { panic!("{response:?}") };
    let list = QueryDirectoryRequest {
        file_information_class: 200,
        file_id: created.file_id,
        output_buffer_length: 1000,
        ..Default::default()
    };
    assert_eq!(client.call(list).await.0.status, unknown_class);
}

#[tokio::test]
async fn a_panic_in_a_task_is_seen() {
    let panics = PanicWatch::begin();
    let task = tokio::spawn(async { panic!("meant to") });
    assert!(task.await.is_err());
    assert_eq!(panics.seen(), 1);
}
