//! The workstation service: tells what the server is called ([MS-WKST] 3.2.4.1).

use holdfast_proto::rpc::pdu::FaultStatus;
use holdfast_proto::rpc::wkssvc::{Request, WkstaGetInfoResponse, WkstaInfo};

use super::Facts;
use super::srvsvc::VERSION;

/// Answers one call with its results, encoded.
pub(super) fn answer(opnum: u16, stub: &[u8], facts: &Facts<'_>) -> Result<Vec<u8>, FaultStatus> {
    match Request::decode(opnum, stub).map_err(|_| FaultStatus::BAD_STUB_DATA)? {
        Request::WkstaGetInfo(request) => {
            let netbios = &facts.identity.names.netbios;
            let info = WkstaInfo {
                computer_name: netbios.clone(),
                // A server of no domain is a group of its own.
                lan_group: netbios.clone(),
                version_major: VERSION.0,
                version_minor: VERSION.1,
            };
            Ok(WkstaGetInfoResponse { level: request.level, info: Ok(info) }.encode())
        }
        Request::Unknown(_) => Err(FaultStatus::OP_RANGE_ERROR),
    }
}
