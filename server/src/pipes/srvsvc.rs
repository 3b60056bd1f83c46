//! The server service: lists shares and tells about the server ([MS-SRVS] 3.1.4).

use holdfast_cluster::command::ShareSettings;
use holdfast_proto::rpc::NetStatus;
use holdfast_proto::rpc::pdu::FaultStatus;
use holdfast_proto::rpc::srvsvc::{
    Request, ServerGetInfoResponse, ServerInfo, ServerType, Share1005Flags, ShareEnumRequest,
    ShareEnumResponse, ShareGetInfoResponse, ShareInfo, ShareType,
};

use super::Facts;
use crate::handlers::tree_connect::IPC_SHARE;

/// What the server passes for: the version that Samba tells too.
pub(super) const VERSION: (u32, u32) = (6, 1);

/// Answers one call with its results, encoded.
pub(super) fn answer(opnum: u16, stub: &[u8], facts: &Facts<'_>) -> Result<Vec<u8>, FaultStatus> {
    match Request::decode(opnum, stub).map_err(|_| FaultStatus::BAD_STUB_DATA)? {
        Request::ShareEnum(request) => Ok(share_enum(&request, facts).encode()),
        Request::ShareGetInfo(request) => {
            let found = shares(facts)
                .into_iter()
                .find(|share| share.name.eq_ignore_ascii_case(&request.net_name));
            let share = match found {
                _ if !ShareGetInfoResponse::supports(request.level) => {
                    Err(NetStatus::INVALID_LEVEL)
                }
                Some(share) => Ok(share),
                None => Err(NetStatus::NET_NAME_NOT_FOUND),
            };
            Ok(ShareGetInfoResponse { level: request.level, share }.encode())
        }
        Request::ServerGetInfo(request) => {
            let info = ServerInfo {
                name: facts.identity.names.netbios.clone(),
                version_major: VERSION.0,
                version_minor: VERSION.1,
                server_type: ServerType::WORKSTATION
                    | ServerType::SERVER
                    | ServerType::NT
                    | ServerType::SERVER_NT,
                comment: String::new(),
            };
            Ok(ServerGetInfoResponse { level: request.level, info: Ok(info) }.encode())
        }
        Request::Unknown(_) => Err(FaultStatus::OP_RANGE_ERROR),
    }
}

fn share_enum(request: &ShareEnumRequest, facts: &Facts<'_>) -> ShareEnumResponse {
    let level = request.level;
    if !ShareEnumResponse::supports(level) {
        return ShareEnumResponse {
            level,
            shares: Vec::new(),
            total_entries: 0,
            resume_handle: request.resume_handle,
            status: NetStatus::INVALID_LEVEL,
        };
    }
    let begin = request.resume_handle.unwrap_or(0) as usize;
    let shares: Vec<_> = shares(facts).into_iter().skip(begin).collect();
    ShareEnumResponse {
        level,
        total_entries: u32::try_from(shares.len()).unwrap_or(u32::MAX),
        shares,
        // All are told at once, so there is nothing to go on with.
        resume_handle: request.resume_handle.map(|_| 0),
        status: NetStatus::SUCCESS,
    }
}

/// The shares in the order of their names, IPC$ last.
fn shares(facts: &Facts<'_>) -> Vec<ShareInfo> {
    let ipc = ShareInfo {
        name: IPC_SHARE.to_owned(),
        share_type: ShareType::IPC | ShareType::SPECIAL,
        remark: "IPC service".to_owned(),
        max_uses: u32::MAX,
        current_uses: 0,
        path: String::new(),
        flags: Share1005Flags::NONE,
    };
    let available = |share: &ShareSettings| facts.state.is_available(share);
    let shares = facts.state.shares().map(|share| &share.settings);
    shares.map(|share| info(share, available(share))).chain([ipc]).collect()
}

fn info(settings: &ShareSettings, available: bool) -> ShareInfo {
    let mut flags = Share1005Flags::NONE;
    if available {
        flags |= Share1005Flags::ENABLE_CA;
    }
    if settings.encrypt {
        flags |= Share1005Flags::ENCRYPT_DATA;
    }
    ShareInfo {
        name: settings.name.clone(),
        share_type: ShareType::DISKTREE,
        remark: settings.comment.clone(),
        max_uses: u32::MAX,
        current_uses: 0,
        // Where it lies is nobody's business; clients want some path of a drive.
        path: format!("C:\\{}", settings.name),
        flags,
    }
}
