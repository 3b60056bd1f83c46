//! A client for unit tests, made of `proto` alone: it speaks to a node over a pipe in memory.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use holdfast_proto::NtStatus;
use holdfast_proto::auth::ntlmssp::{Negotiate, NegotiateFlags};
use holdfast_proto::auth::ntlmv2::{ClientLogon, ClientRandom, NtHash};
use holdfast_proto::auth::spnego::{self, Mechanism, NegTokenInit, NegTokenResp, Token};
use holdfast_proto::crypto::{
    Cipher, EncryptionKey, Key128, PreauthHash, Sender, SessionKeys, SigningAlgorithm, SigningKey,
};
use holdfast_proto::frame::transform::TransformFlags;
use holdfast_proto::frame::{TransformHeader, compound, direct_tcp};
use holdfast_proto::header::{Header, HeaderFlags, HeaderForm, UNSOLICITED};
use holdfast_proto::msg::negotiate::{
    self, EncryptionCapabilities, GlobalCapabilities, HashAlgorithm, NegotiateContexts,
    PreauthIntegrityCapabilities, SigningCapabilities,
};
use holdfast_proto::msg::session_setup::SessionFlags;
use holdfast_proto::msg::{
    NegotiateRequest, NegotiateResponse, Request, Response, SessionSetupRequest, TreeConnectRequest,
};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{Dialect, FileTime, Guid, SessionId};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{PASSWORD, USER};
use crate::node::Node;
use crate::runtime::serve;

/// What the client offers NTLM: UNICODE, NTLM, SIGN, KEY_EXCH, KEY_128 and
/// EXTENDED_SESSION_SECURITY.
const NTLM: NegotiateFlags = NegotiateFlags(0x6008_0211);

/// What every client chooses as the key that its session's keys are derived from.
pub(crate) const SESSION_KEY: [u8; 16] =
    *b"\xA7\x3C\x91\x5E\xD8\x24\xB6\x4F\xE1\x9A\x73\x0D\xC5\x68\xF2\x1B";

/// Where the lowest byte of a header's flags stands.
const HEADER_FLAGS: usize = 16;

/// A connection to a node.
pub(crate) struct WireClient {
    stream: DuplexStream,
    arrived: BytesMut,
    next_id: u64,
    /// Credits that are left.
    pub(crate) credits: u64,
    preauth: PreauthHash,
    pub(crate) session: SessionId,
    /// SessionFlags of the last logon.
    pub(crate) session_flags: SessionFlags,
    pub(crate) tree: u32,
    keys: Option<Keys>,
    /// The keys of its last session, or those that it would have had.
    pub(crate) derived_keys: Vec<[u8; 16]>,
    /// Encrypt instead of signing.
    pub(crate) encrypt: bool,
    /// What it calls itself when it negotiates.
    pub(crate) client_guid: Guid,
    nonce: u64,
}

struct Keys {
    signing: SigningKey,
    outbound: EncryptionKey,
    inbound: EncryptionKey,
}

impl WireClient {
    /// Connects; the node's side runs as a task.
    pub(crate) fn connect(node: &Arc<Node>) -> WireClient {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let connection = node.add_connection("test".to_owned()).expect("room for a connection");
        tokio::spawn(serve(node.clone(), connection, theirs));
        WireClient {
            stream: ours,
            arrived: BytesMut::new(),
            next_id: 0,
            credits: 1,
            preauth: PreauthHash::ZERO,
            session: SessionId(0),
            session_flags: SessionFlags::NONE,
            tree: 0,
            keys: None,
            derived_keys: Vec::new(),
            encrypt: false,
            client_guid: WireClient::offer().client_guid,
            nonce: 0,
        }
    }

    /// Connects and logs on as the test cluster's user.
    pub(crate) async fn logged_on(node: &Arc<Node>) -> WireClient {
        let mut client = WireClient::connect(node);
        client.negotiate().await;
        let status = client.log_on(USER, PASSWORD, SessionId(0)).await;
        assert_eq!(status, NtStatus::SUCCESS);
        client
    }

    /// As [`WireClient::logged_on`], with a tree connect.
    pub(crate) async fn on_share(node: &Arc<Node>, share: &str) -> WireClient {
        let mut client = WireClient::logged_on(node).await;
        assert_eq!(client.tree_connect(share).await, NtStatus::SUCCESS);
        client
    }

    /// A header with the next message id.
    pub(crate) fn header(&mut self, opcode: Opcode) -> Header {
        let mut header = Header::request(opcode, self.next_id);
        self.next_id += 1;
        header.credits = 32;
        header.session_id = self.session;
        header.form = HeaderForm::Sync { process_id: 0, tree_id: self.tree };
        header
    }

    /// Sends one request and waits for its final answer.
    pub(crate) async fn call(&mut self, request: impl Into<Request>) -> (Header, Response) {
        let request = request.into();
        let header = self.header(request.opcode());
        self.send(vec![(header, request)]).await;
        loop {
            let (header, response) = self.receive().await.expect("an answer");
            if header.status != NtStatus::PENDING {
                return (header, response);
            }
        }
    }

    /// Sends requests as one frame, protected as the client is set to.
    pub(crate) async fn send(&mut self, requests: Vec<(Header, Request)>) {
        let signed = self.keys.is_some() && !self.encrypt;
        let mut messages: Vec<_> = requests
            .into_iter()
            .map(|(mut header, request)| {
                if signed {
                    header.flags |= HeaderFlags::SIGNED;
                }
                request.to_message(&header)
            })
            .collect();
        compound::join(&mut messages);
        let mut frame = BytesMut::new();
        for message in messages {
            let mut bytes = BytesMut::from(&message.to_bytes()[..]);
            if let (true, Some(keys)) = (signed, &self.keys) {
                assert!(keys.signing.sign_message(Sender::Client, &mut bytes));
            }
            frame.extend_from_slice(&bytes);
        }
        let opcode = Opcode(u16::from_le_bytes([frame[12], frame[13]]));
        if matches!(opcode, Opcode::NEGOTIATE | Opcode::SESSION_SETUP) {
            self.preauth.update(&frame);
        }
        if self.encrypt {
            frame = self.seal(frame);
        }
        self.send_raw(&frame).await;
    }

    /// Signs a message, whatever is in it.
    pub(crate) fn sign(&self, message: &mut [u8]) {
        let keys = self.keys.as_ref().expect("a session to sign for");
        message[HEADER_FLAGS] |= HeaderFlags::SIGNED.0 as u8;
        assert!(keys.signing.sign_message(Sender::Client, message));
    }

    /// Sends a message, whatever is in it, signed or encrypted as the client is set to.
    pub(crate) async fn send_protected(&mut self, mut message: Vec<u8>) {
        if self.encrypt {
            let frame = self.seal(BytesMut::from(&message[..]));
            return self.send_raw(&frame).await;
        }
        self.sign(&mut message);
        self.send_raw(&message).await;
    }

    /// Encrypts messages into a frame.
    pub(crate) fn seal(&mut self, mut data: BytesMut) -> BytesMut {
        let keys = self.keys.as_ref().expect("a session to encrypt with");
        self.nonce += 1;
        let mut header = TransformHeader {
            original_message_size: data.len() as u32,
            flags: TransformFlags::ENCRYPTED,
            session_id: self.session,
            ..TransformHeader::default()
        };
        header.nonce[..8].copy_from_slice(&self.nonce.to_le_bytes());
        header.signature = keys.outbound.seal(&header.authenticated_data(), &mut data);
        let mut frame = BytesMut::from(&header.to_bytes()[..]);
        frame.extend_from_slice(&data);
        frame
    }

    /// Announces a frame of that many bytes.
    pub(crate) async fn send_prefix(&mut self, length: usize) {
        let prefix = direct_tcp::encode_prefix(length).expect("a frame");
        // A node that closed the connection is found out by reading.
        let _ = self.stream.write_all(&prefix).await;
        let _ = self.stream.flush().await;
    }

    /// Sends bytes as one frame.
    pub(crate) async fn send_raw(&mut self, frame: &[u8]) {
        self.send_prefix(frame.len()).await;
        // As above.
        let _ = self.stream.write_all(frame).await;
        let _ = self.stream.flush().await;
    }

    /// The next message, its protection checked; none once the connection is closed.
    pub(crate) async fn receive(&mut self) -> Option<(Header, Response)> {
        if self.arrived.is_empty() {
            self.arrived = self.read_frame().await?;
        }
        let header = Header::decode(&self.arrived).expect("a header");
        let length = match header.next_command {
            0 => self.arrived.len(),
            next => next as usize,
        };
        let message = self.arrived.split_to(length).freeze();
        self.credits += u64::from(header.credits);
        // Without the session there is no key: such an answer only looks signed.
        if header.flags.contains(HeaderFlags::SIGNED)
            && header.session_id == self.session
            && header.status != NtStatus::USER_SESSION_DELETED
            && let Some(keys) = &self.keys
        {
            assert!(keys.signing.verify_message(Sender::Server, &message), "signature");
        }
        let response = Response::decode(&header, &message).expect("a response");
        let chained = match &response {
            // "Ask again" is not part of the negotiation that follows.
            Response::Negotiate(response) => response.dialect_revision == Dialect::SMB_3_1_1,
            Response::SessionSetup(_) => header.status == NtStatus::MORE_PROCESSING_REQUIRED,
            _ => false,
        };
        if chained {
            self.preauth.update(&message);
        }
        Some((header, response))
    }

    /// Sends no more, and waits until the node has closed its side.
    pub(crate) async fn hang_up(mut self) {
        // A node that closed the connection first is as good.
        let _ = self.stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
    }

    async fn read_frame(&mut self) -> Option<BytesMut> {
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await.ok()?;
        let length = direct_tcp::decode_prefix(prefix, 1 << 24).ok()?;
        let mut frame = BytesMut::zeroed(length);
        self.stream.read_exact(&mut frame).await.ok()?;
        if frame.starts_with(&[0xFD]) {
            let (header, _) = TransformHeader::decode(&frame.clone().freeze()).expect("a header");
            frame.advance(52);
            let keys = self.keys.as_ref().expect("keys");
            let opened =
                keys.inbound.open(&header.authenticated_data(), &mut frame, &header.signature);
            assert_eq!(opened, Ok(()));
        } else {
            // Breaks of oplocks and leases are never encrypted.
            let unsolicited = Header::decode(&frame).is_ok_and(|h| h.message_id == UNSOLICITED);
            assert!(!self.encrypt || unsolicited, "an answer came in the clear");
        }
        Some(frame)
    }

    /// What a client of today offers.
    pub(crate) fn offer() -> NegotiateRequest {
        NegotiateRequest {
            dialects: vec![Dialect::SMB_2_1, Dialect::SMB_3_1_1],
            capabilities: GlobalCapabilities(0x7F),
            client_guid: Guid([0xC1; 16]),
            contexts: NegotiateContexts {
                preauth: Some(PreauthIntegrityCapabilities {
                    hash_algorithms: vec![HashAlgorithm::SHA_512],
                    salt: Bytes::from_static(&[1; 32]),
                }),
                encryption: Some(EncryptionCapabilities {
                    ciphers: vec![negotiate::Cipher::AES_128_GCM],
                }),
                signing: Some(SigningCapabilities {
                    signing_algorithms: vec![negotiate::SigningAlgorithm::AES_GMAC],
                }),
                ..NegotiateContexts::default()
            },
            ..NegotiateRequest::default()
        }
    }

    /// Negotiates as [`WireClient::offer`] says.
    pub(crate) async fn negotiate(&mut self) -> NegotiateResponse {
        let offer = NegotiateRequest { client_guid: self.client_guid, ..WireClient::offer() };
        let (header, response) = self.call(offer).await;
        assert_eq!(header.status, NtStatus::SUCCESS);
        match response {
            Response::Negotiate(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// Logs on by SPNEGO and NTLMv2; the final status.
    pub(crate) async fn log_on(
        &mut self,
        user: &str,
        password: &str,
        previous: SessionId,
    ) -> NtStatus {
        self.try_log_on(user, password, previous).await.expect("an answer")
    }

    /// As [`WireClient::log_on`]; none if the connection is closed instead of an answer.
    pub(crate) async fn try_log_on(
        &mut self,
        user: &str,
        password: &str,
        previous: SessionId,
    ) -> Option<NtStatus> {
        let negotiate = Negotiate { flags: NTLM, version: None }.encode();
        let init = NegTokenInit {
            mech_types: vec![Mechanism::NTLMSSP],
            mech_types_der: &[],
            mech_token: Some(&negotiate),
            mech_list_mic: None,
        };
        let first = setup(init.encode(), SessionId(0));
        let (header, response) = self.call(first).await;
        let Response::SessionSetup(response) = response else { return Some(header.status) };
        assert_eq!(header.status, NtStatus::MORE_PROCESSING_REQUIRED);
        self.session = header.session_id;
        let Ok(Token::Resp(token)) = spnego::decode(&response.security_buffer) else {
            panic!("no challenge")
        };
        let logon = ClientLogon {
            user,
            domain: "",
            workstation: "CLIENT",
            target_name: "cifs/holdfast",
            hash: NtHash::of_password(password),
        };
        let random = ClientRandom { challenge: [3; 8], session_key: Key128::new(SESSION_KEY) };
        let challenge = token.response_token.expect("a challenge");
        let answer =
            logon.answer(NTLM, &negotiate, challenge, FileTime(1), &random).expect("an answer");
        let resp = NegTokenResp { response_token: Some(&answer.message), ..Default::default() };
        let request = Request::from(setup(resp.encode(), previous));
        let header = self.header(Opcode::SESSION_SETUP);
        self.send(vec![(header, request)]).await;
        // The answer is signed with keys that end with this request.
        let keys = SessionKeys::derive(&answer.session_key, &self.preauth);
        let all =
            [&keys.signing, &keys.client_to_server, &keys.server_to_client, &keys.application];
        self.derived_keys = all.iter().map(|key| *key.expose()).collect();
        self.keys = Some(Keys {
            signing: SigningKey::new(SigningAlgorithm::AesGmac, &keys.signing),
            outbound: EncryptionKey::new(Cipher::Aes128Gcm, &keys.client_to_server),
            inbound: EncryptionKey::new(Cipher::Aes128Gcm, &keys.server_to_client),
        });
        let (header, response) = self.receive().await?;
        if let Response::SessionSetup(response) = response {
            self.session_flags = response.session_flags;
        }
        if header.status == NtStatus::SUCCESS {
            assert!(header.flags.contains(HeaderFlags::SIGNED));
        } else {
            self.keys = None;
        }
        Some(header.status)
    }

    /// Connects to a share.
    pub(crate) async fn tree_connect(&mut self, share: &str) -> NtStatus {
        let path = format!(r"\\holdfast\{share}");
        let (header, _) = self.call(TreeConnectRequest { path, ..Default::default() }).await;
        if header.status == NtStatus::SUCCESS {
            self.tree = header.tree_id().expect("a tree connect");
        }
        header.status
    }
}

fn setup(token: Vec<u8>, previous_session_id: SessionId) -> SessionSetupRequest {
    SessionSetupRequest {
        previous_session_id,
        security_buffer: Bytes::from(token),
        ..SessionSetupRequest::default()
    }
}
