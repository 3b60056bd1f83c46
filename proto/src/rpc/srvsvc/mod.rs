//! The server service, srvsvc ([MS-SRVS]): what `net view`, `smbclient -L` and the Explorer
//! ask.

mod server_get_info;
mod share_enum;
mod share_get_info;
mod share_info;

use super::SyntaxId;
use crate::types::Guid;
use crate::wire::{DecodeError, open_enum};

pub use server_get_info::{
    PLATFORM_ID_NT, ServerGetInfoRequest, ServerGetInfoResponse, ServerInfo, ServerType,
};
pub use share_enum::{ShareEnumRequest, ShareEnumResponse};
pub use share_get_info::{ShareGetInfoRequest, ShareGetInfoResponse};
pub use share_info::{Share1005Flags, ShareInfo, ShareType};

/// 4b324fc8-1670-01d3-1278-5a47bf6ee188 version 3.0.
pub const INTERFACE: SyntaxId = SyntaxId {
    uuid: Guid([
        0xC8, 0x4F, 0x32, 0x4B, 0x70, 0x16, 0xD3, 0x01, 0x12, 0x78, 0x5A, 0x47, 0xBF, 0x6E, 0xE1,
        0x88,
    ]),
    major: 3,
    minor: 0,
};

open_enum! {
    /// The methods that are known here, by their numbers.
    Opnum: u16 {
        NETR_SHARE_ENUM = 15;
        NETR_SHARE_GET_INFO = 16;
        NETR_SERVER_GET_INFO = 21;
    }
}

/// A call's arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Lists the shares.
    ShareEnum(ShareEnumRequest),
    /// Tells about one share.
    ShareGetInfo(ShareGetInfoRequest),
    /// Tells about the server.
    ServerGetInfo(ServerGetInfoRequest),
    /// A method that is not known here: OP_RANGE_ERROR.
    Unknown(Opnum),
}

impl Request {
    /// Decodes a call's arguments. What does not decode is answered with BAD_STUB_DATA.
    pub fn decode(opnum: u16, stub: &[u8]) -> Result<Request, DecodeError> {
        match Opnum(opnum) {
            Opnum::NETR_SHARE_ENUM => ShareEnumRequest::decode(stub).map(Request::ShareEnum),
            Opnum::NETR_SHARE_GET_INFO => {
                ShareGetInfoRequest::decode(stub).map(Request::ShareGetInfo)
            }
            Opnum::NETR_SERVER_GET_INFO => {
                ServerGetInfoRequest::decode(stub).map(Request::ServerGetInfo)
            }
            other => Ok(Request::Unknown(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither a cut nor a changed byte makes the decoders do more than refuse.
    #[test]
    fn truncation_and_mutation() {
        let stubs = [
            (15, share_enum::tests::stub(1)),
            (16, share_get_info::tests::stub("demo", 1)),
            (21, server_get_info::tests::stub(101)),
        ];
        for (opnum, stub) in stubs {
            assert!(Request::decode(opnum, &stub).is_ok());
            for length in 0..stub.len() {
                assert!(Request::decode(opnum, &stub[..length]).is_err(), "{opnum} {length}");
            }
            for position in 0..stub.len() {
                for value in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut changed = stub.clone();
                    changed[position] = value;
                    let _ = Request::decode(opnum, &changed);
                }
            }
        }
        assert_eq!(Request::decode(99, &[]), Ok(Request::Unknown(Opnum(99))));
    }
}
