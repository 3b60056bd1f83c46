//! Payloads of control codes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use holdfast_proto::fsctl::network_interface_info::InterfaceCapability;
use holdfast_proto::fsctl::*;
use holdfast_proto::msg::negotiate::{GlobalCapabilities, SecurityMode};
use holdfast_proto::types::Dialect;

use super::{Sample, guid};

fn payload<P: FsctlPayload + core::fmt::Debug>(
    message: &'static str,
    case: &'static str,
    about: &'static str,
    value: P,
) -> Sample {
    Sample { message, case, about, bytes: value.to_bytes(), decoded: format!("{value:#?}") }
}

fn interfaces() -> NetworkInterfaceInfo {
    let interface = NetworkInterface {
        if_index: 2,
        capability: InterfaceCapability::RSS_CAPABLE,
        link_speed: 10_000_000_000,
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    };
    let v6 = IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 7));
    NetworkInterfaceInfo {
        interfaces: vec![interface, NetworkInterface { if_index: 3, address: v6, ..interface }],
    }
}

fn copy() -> SrvCopychunkCopy {
    SrvCopychunkCopy {
        source_key: [0x21; 24],
        chunks: vec![
            SrvCopychunk { source_offset: 0, target_offset: 4096, length: 1 << 20 },
            SrvCopychunk { source_offset: 1 << 20, target_offset: 0, length: 1 },
        ],
    }
}

pub fn samples() -> Vec<Sample> {
    let (capabilities, security_mode) = (GlobalCapabilities(0x7F), SecurityMode::SIGNING_ENABLED);
    let offered = ValidateNegotiateInfoRequest {
        capabilities,
        guid: guid(0x10),
        security_mode,
        dialects: vec![Dialect::SMB_2_1, Dialect::SMB_3_0],
    };
    let chosen = ValidateNegotiateInfoResponse {
        capabilities,
        guid: guid(0x20),
        security_mode,
        dialect: Dialect::SMB_3_0,
    };
    let object_id = ObjectIdBuffer {
        object_id: guid(1),
        birth_volume_id: guid(2),
        birth_object_id: guid(3),
        domain_id: guid(4),
    };
    let wait = PipeWaitRequest { timeout: Some(-5_000_000), name: "srvsvc".into() };
    let forever = PipeWaitRequest { timeout: None, name: "wkssvc".into() };
    let referral =
        DfsGetReferralsRequest { max_referral_level: 4, request_file_name: "\\files\\demo".into() };
    let progress = SrvCopychunkResponse {
        chunks_written: 2,
        chunk_bytes_written: 0,
        total_bytes_written: (1 << 20) + 1,
    };
    let key = SrvRequestResumeKeyResponse { resume_key: [0x21; 24] };
    vec![
        payload("fsctl_validate_negotiate_info_request", "two", "two dialects", offered),
        payload("fsctl_validate_negotiate_info_response", "plain", "the chosen one", chosen),
        payload("fsctl_network_interface_info", "both", "an address of each kind", interfaces()),
        payload("fsctl_object_id_buffer", "plain", "four ids", object_id),
        payload("fsctl_pipe_wait_request", "timed", "with a time-out", wait),
        payload("fsctl_pipe_wait_request", "forever", "without a time-out", forever),
        payload("fsctl_dfs_get_referrals_request", "plain", "a path", referral),
        payload(
            "fsctl_resiliency_request",
            "plain",
            "a minute",
            ResiliencyRequest { timeout: 60_000 },
        ),
        payload("fsctl_srv_copychunk_copy", "two", "two ranges", copy()),
        payload("fsctl_srv_copychunk_response", "plain", "all of it", progress),
        payload("fsctl_srv_request_resume_key_response", "plain", "a key", key),
    ]
}
