//! NEGOTIATE, SESSION_SETUP, LOGOFF, TREE_CONNECT, TREE_DISCONNECT, ECHO, CANCEL and errors.

use bytes::Bytes;
use holdfast_proto::header::{Header, HeaderForm};
use holdfast_proto::msg::error::{ErrorContext, ErrorId, SymlinkError};
use holdfast_proto::msg::negotiate::*;
use holdfast_proto::msg::session_setup::*;
use holdfast_proto::msg::tree_connect::*;
use holdfast_proto::msg::*;
use holdfast_proto::types::{AccessMask, Dialect, FileTime, SessionId};
use holdfast_proto::{NtStatus, Opcode};

use super::{Sample, guid, request, response, response_header, with_header};

fn all_contexts() -> NegotiateContexts {
    NegotiateContexts {
        preauth: Some(PreauthIntegrityCapabilities {
            hash_algorithms: vec![HashAlgorithm::SHA_512],
            salt: Bytes::from_static(&[0x5A; 32]),
        }),
        encryption: Some(EncryptionCapabilities {
            ciphers: vec![Cipher::AES_128_GCM, Cipher::AES_128_CCM, Cipher::AES_256_GCM],
        }),
        compression: Some(CompressionCapabilities {
            flags: CompressionCapabilityFlags::CHAINED,
            compression_algorithms: vec![
                CompressionAlgorithm::LZ77,
                CompressionAlgorithm::PATTERN_V1,
            ],
        }),
        netname: Some(NetName { net_name: "files.example".into() }),
        transport: Some(TransportCapabilities {
            flags: TransportCapabilityFlags::ACCEPT_TRANSPORT_LEVEL_SECURITY,
        }),
        rdma_transform: Some(RdmaTransformCapabilities {
            rdma_transform_ids: vec![RdmaTransformId::ENCRYPTION],
        }),
        signing: Some(SigningCapabilities {
            signing_algorithms: vec![SigningAlgorithm::AES_GMAC, SigningAlgorithm::AES_CMAC],
        }),
        unknown: vec![UnknownNegotiateContext {
            context_type: NegotiateContextType::RESERVED,
            data: Bytes::from_static(b"posix"),
        }],
        duplicates: vec![],
    }
}

fn negotiate() -> Vec<Sample> {
    let everything = NegotiateRequest {
        security_mode: SecurityMode::SIGNING_ENABLED,
        capabilities: GlobalCapabilities(0x7F),
        client_guid: guid(0x10),
        dialects: vec![
            Dialect::SMB_2_0_2,
            Dialect::SMB_2_1,
            Dialect::SMB_3_0,
            Dialect::SMB_3_0_2,
            Dialect::SMB_3_1_1,
        ],
        contexts: all_contexts(),
    };
    let old = NegotiateRequest {
        dialects: vec![Dialect::SMB_2_1, Dialect(0x1234)],
        contexts: NegotiateContexts::default(),
        ..everything.clone()
    };
    let chosen = NegotiateResponse {
        security_mode: SecurityMode::SIGNING_ENABLED | SecurityMode::SIGNING_REQUIRED,
        dialect_revision: Dialect::SMB_3_1_1,
        server_guid: guid(0x20),
        capabilities: GlobalCapabilities::LEASING
            | GlobalCapabilities::LARGE_MTU
            | GlobalCapabilities::PERSISTENT_HANDLES,
        max_transact_size: 1 << 20,
        max_read_size: 1 << 23,
        max_write_size: 1 << 23,
        system_time: FileTime(133_000_000_000_000_000),
        server_start_time: FileTime(0),
        security_buffer: Bytes::from_static(b"\x60\x28spnego-token"),
        contexts: NegotiateContexts {
            preauth: all_contexts().preauth,
            encryption: Some(EncryptionCapabilities { ciphers: vec![Cipher::AES_128_GCM] }),
            signing: Some(SigningCapabilities {
                signing_algorithms: vec![SigningAlgorithm::AES_GMAC],
            }),
            ..NegotiateContexts::default()
        },
    };
    let wildcard = NegotiateResponse {
        dialect_revision: Dialect::SMB_2_WILDCARD,
        contexts: NegotiateContexts::default(),
        ..chosen.clone()
    };
    let op = Opcode::NEGOTIATE;
    vec![
        request("negotiate_request", "all_contexts", "every context, one unknown", op, everything),
        request("negotiate_request", "no_contexts", "without 3.1.1, one unknown dialect", op, old),
        response("negotiate_response", "smb_3_1_1", "one algorithm of each kind", op, chosen),
        response("negotiate_response", "wildcard", "answer to a multi-protocol one", op, wildcard),
    ]
}

fn session() -> Vec<Sample> {
    let first = SessionSetupRequest {
        flags: SessionSetupFlags::BINDING,
        security_mode: SecurityMode::SIGNING_ENABLED,
        capabilities: GlobalCapabilities::DFS,
        previous_session_id: SessionId(0x99),
        security_buffer: Bytes::from_static(b"NTLMSSP\0\x01"),
    };
    let challenge = SessionSetupResponse {
        session_flags: SessionFlags::NONE,
        security_buffer: Bytes::from_static(b"NTLMSSP\0\x02"),
    };
    let done = SessionSetupResponse {
        session_flags: SessionFlags::ENCRYPT_DATA,
        security_buffer: Bytes::new(),
    };
    let op = Opcode::SESSION_SETUP;
    let more = response_header(op, NtStatus::MORE_PROCESSING_REQUIRED);
    vec![
        request("session_setup_request", "binding", "binds a session, names an old one", op, first),
        with_header("session_setup_response", "challenge", "one more leg", more, challenge),
        response("session_setup_response", "done", "no token, encryption required", op, done),
        request("logoff_request", "plain", "ends a session", Opcode::LOGOFF, LogoffRequest),
        response("logoff_response", "plain", "ended", Opcode::LOGOFF, LogoffResponse),
        request("echo_request", "plain", "are you there", Opcode::ECHO, EchoRequest),
        response("echo_response", "plain", "yes", Opcode::ECHO, EchoResponse),
    ]
}

fn tree() -> Vec<Sample> {
    let plain = TreeConnectRequest { path: "\\\\files\\demo".into(), ..Default::default() };
    let extended = TreeConnectRequest {
        flags: TreeConnectFlags::EXTENSION_PRESENT | TreeConnectFlags::CLUSTER_RECONNECT,
        contexts: vec![
            TreeConnectContext {
                context_type: TreeConnectContextType::REMOTED_IDENTITY,
                data: Bytes::from_static(b"identity"),
            },
            TreeConnectContext {
                context_type: TreeConnectContextType(9),
                data: Bytes::from_static(b"abc"),
            },
        ],
        ..plain.clone()
    };
    let connected = TreeConnectResponse {
        share_type: ShareType::DISK,
        share_flags: ShareFlags::ENCRYPT_DATA | ShareFlags::NO_CACHING,
        capabilities: ShareCapabilities::CONTINUOUS_AVAILABILITY,
        maximal_access: AccessMask::FILE_ALL,
    };
    let op = Opcode::TREE_CONNECT;
    let off = Opcode::TREE_DISCONNECT;
    vec![
        request("tree_connect_request", "plain", "a share", op, plain),
        request("tree_connect_request", "extension", "a share, with two contexts", op, extended),
        response("tree_connect_response", "disk", "continuously available", op, connected),
        request("tree_disconnect_request", "plain", "ends it", off, TreeDisconnectRequest),
        response("tree_disconnect_response", "plain", "ended", off, TreeDisconnectResponse),
    ]
}

fn asynchronous(mut header: Header) -> Header {
    header.form = HeaderForm::Async { async_id: 0x77 };
    header.flags |= holdfast_proto::HeaderFlags::ASYNC_COMMAND;
    header
}

fn errors() -> Vec<Sample> {
    let symlink = SymlinkError {
        unparsed_path_length: 8,
        substitute_name: "..\\there".into(),
        print_name: "..\\there".into(),
        relative: true,
    };
    let two = ErrorResponse {
        contexts: vec![
            ErrorContext {
                error_id: ErrorId::SHARE_REDIRECT,
                data: Bytes::from_static(b"elsewhere"),
            },
            ErrorContext { error_id: ErrorId::DEFAULT, data: symlink.to_bytes() },
        ],
        data: Bytes::new(),
    };
    let header = |status| response_header(Opcode::CREATE, status);
    let pending = asynchronous(header(NtStatus::PENDING));
    let small = ErrorResponse::required_length(4096, false);
    let nothing = ErrorResponse::default;
    let linked = ErrorResponse::with_data(symlink.to_bytes(), false);
    let error =
        |case, about, header, body| with_header("error_response", case, about, header, body);
    vec![
        error("plain", "no data", header(NtStatus::ACCESS_DENIED), nothing()),
        error("pending", "an interim response", pending, nothing()),
        error("too_small", "tells a length", header(NtStatus::BUFFER_TOO_SMALL), small),
        error("symlink", "a link on the way", header(NtStatus::STOPPED_ON_SYMLINK), linked),
        error("contexts", "two contexts of 3.1.1", header(NtStatus::BAD_NETWORK_NAME), two),
    ]
}

pub fn samples() -> Vec<Sample> {
    let cancel = asynchronous(super::request_header(Opcode::CANCEL));
    let cancelled =
        with_header("cancel_request", "async", "an operation that waits", cancel, CancelRequest);
    [negotiate(), session(), tree(), errors(), vec![cancelled]].into_iter().flatten().collect()
}
