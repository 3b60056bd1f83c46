//! What the log says of clients that are turned away: who and why, and nothing that is secret.

use holdfast_cluster::command::{Command, UserSettings};
use holdfast_proto::NtStatus;
use holdfast_proto::auth::ntlmv2::NtHash;
use holdfast_proto::header::HeaderFlags;
use holdfast_proto::msg::{
    CancelRequest, EchoRequest, FlushRequest, ReadRequest, Request, TreeDisconnectRequest,
};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::SessionId;
use tracing::level_filters::LevelFilter;

use super::tests::{node, open_file};
use crate::testing::{LogCapture, PASSWORD, SESSION_KEY, USER, WireClient};

/// Sends a request neither signed nor encrypted.
async fn send_plain(client: &mut WireClient, request: impl Into<Request>) {
    let request = request.into();
    let header = client.header(request.opcode());
    let plain = request.to_message(&header).to_bytes();
    client.send_raw(&plain).await;
}

#[tokio::test]
async fn who_is_refused_and_why_is_told_once_a_connection() {
    let log = LogCapture::begin(LevelFilter::INFO);
    let (node, _) = node();
    for _ in 0..2 {
        let mut client = WireClient::on_share(&node, "data").await;
        for _ in 0..3 {
            send_plain(&mut client, TreeDisconnectRequest).await;
            assert_eq!(client.receive().await.unwrap().0.status, NtStatus::ACCESS_DENIED);
            // READ's StructureSize is 49.
            let header = client.header(Opcode::READ);
            let mut message = Request::from(ReadRequest::default()).to_message(&header).to_bytes();
            let mut broken = message.split_off(0).to_vec();
            broken[64] = 48;
            client.sign(&mut broken);
            client.send_raw(&broken).await;
            assert_eq!(client.receive().await.unwrap().0.status, NtStatus::INVALID_PARAMETER);
            let unpaid = ReadRequest { length: 65_537, ..ReadRequest::default() };
            assert_eq!(client.call(unpaid).await.0.status, NtStatus::INVALID_PARAMETER);
            send_plain(&mut client, CancelRequest).await;
        }
        assert_eq!(client.call(EchoRequest).await.0.status, NtStatus::SUCCESS);
        client.hang_up().await;
    }
    let who = |opcode| ["INFO", "peer=test", "client=", "user=alice", opcode];
    for (opcode, why) in [
        ("opcode=TREE_DISCONNECT", "it is not signed"),
        ("opcode=READ", "it is malformed: the structure size is 48 and not 49"),
        ("opcode=READ", "its credits do not pay"),
        ("opcode=CANCEL", "neither signed nor encrypted"),
    ] {
        assert_eq!(log.lines_with(&[why]).len(), 2, "{why}\n{}", log.text());
        assert_eq!(log.lines_with(&[&who(opcode)[..], &[why]].concat()).len(), 2, "{why}");
    }
}

#[tokio::test]
async fn what_is_not_encrypted_is_told() {
    let log = LogCapture::begin(LevelFilter::INFO);
    let (node, cluster) = node();
    let mut client = WireClient::on_share(&node, "vault").await;
    assert_eq!(client.call(FlushRequest::default()).await.0.status, NtStatus::ACCESS_DENIED);
    cluster.apply(Command::SetEncryption { required: true });
    let mut client = WireClient::logged_on(&node).await;
    assert_eq!(client.call(TreeDisconnectRequest).await.0.status, NtStatus::ACCESS_DENIED);
    let who = ["INFO", "peer=test", "user=alice"];
    for why in ["its share demands", "its session demands"] {
        assert_eq!(log.lines_with(&[&who[..], &[why]].concat()).len(), 1, "{}", log.text());
    }
}

#[tokio::test]
async fn who_is_cut_off_and_why_is_told() {
    let log = LogCapture::begin(LevelFilter::INFO);
    let (node, _) = node();
    let mut client = WireClient::on_share(&node, "data").await;
    let header = client.header(Opcode::ECHO);
    let mut forged = Request::from(EchoRequest).to_message(&header).to_bytes().to_vec();
    forged[16] |= HeaderFlags::SIGNED.0 as u8;
    client.send_raw(&forged).await;
    assert!(client.receive().await.is_none());
    let who = ["INFO", "peer=test", "user=alice", "the signature of a message"];
    assert_eq!(log.lines_with(&who).len(), 1, "{}", log.text());
    // Before anybody is known.
    let mut client = WireClient::connect(&node);
    client.send_raw(&[0xFE; 100]).await;
    assert!(client.receive().await.is_none());
    assert_eq!(log.lines_with(&["WARN", "peer=test", "neither SMB2"]).len(), 1, "{}", log.text());
}

/// The forms in which bytes find their way into a log.
fn forms(bytes: &[u8]) -> Vec<String> {
    let each = |form: fn(&u8) -> String| bytes.iter().map(form).collect::<Vec<_>>();
    vec![
        each(|b| format!("{b:02x}")).concat(),
        each(|b| format!("{b:02X}")).concat(),
        each(|b| format!("{b}")).join(", "),
        each(|b| format!("{b:x}")).join(", "),
        each(|b| format!("{b:#04x}")).join(", "),
        bytes.escape_ascii().to_string(),
    ]
}

#[tokio::test]
async fn no_secret_is_in_the_log_of_a_logon() {
    const RIGHT: &str = "Correct-Horse-42";
    const WRONG: &str = "Battery-Staple-17";
    let log = LogCapture::begin(LevelFilter::TRACE);
    let (node, cluster) = node();
    let settings = UserSettings {
        name: USER.to_owned(),
        nt_hash: *NtHash::of_password(RIGHT).expose(),
        disabled: false,
    };
    cluster.apply(Command::PutUser { settings, replace: true });
    let mut secrets: Vec<Vec<u8>> = vec![SESSION_KEY.to_vec()];
    for (password, expected) in [
        (RIGHT, NtStatus::SUCCESS),
        (WRONG, NtStatus::LOGON_FAILURE),
        (PASSWORD, NtStatus::LOGON_FAILURE),
    ] {
        let mut client = WireClient::connect(&node);
        client.negotiate().await;
        assert_eq!(client.log_on(USER, password, SessionId(0)).await, expected);
        if expected == NtStatus::SUCCESS {
            client.tree_connect("data").await;
            open_file(&mut client, "f").await;
            client.encrypt = true;
            assert_eq!(client.call(EchoRequest).await.0.status, NtStatus::SUCCESS);
        }
        secrets.extend(client.derived_keys.iter().map(|key| key.to_vec()));
        secrets.push(NtHash::of_password(password).expose().to_vec());
        client.hang_up().await;
    }
    assert_eq!(secrets.len(), 1 + 3 * 5, "four keys and a hash each");
    let text = log.text();
    for told in ["logged on", "logon refused", "user=\"alice\""] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    for password in [RIGHT, WRONG] {
        assert!(!text.contains(password));
        let wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        secrets.push(wide);
    }
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!text.contains(&form), "{form}");
    }
}
