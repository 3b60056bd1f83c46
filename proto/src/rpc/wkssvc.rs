//! The workstation service, wkssvc ([MS-WKST]): NetrWkstaGetInfo of level 100, which tells a
//! client what it talks to.

use super::ndr::{NdrReader, NdrWriter};
use super::{NetStatus, SyntaxId};
use crate::types::Guid;
use crate::wire::{DecodeError, open_enum};

/// 6bffd098-a112-3610-9833-46c3f87e345a version 1.0.
pub const INTERFACE: SyntaxId = SyntaxId {
    uuid: Guid([
        0x98, 0xD0, 0xFF, 0x6B, 0x12, 0xA1, 0x10, 0x36, 0x98, 0x33, 0x46, 0xC3, 0xF8, 0x7E, 0x34,
        0x5A,
    ]),
    major: 1,
    minor: 0,
};

open_enum! {
    /// The methods that are known here, by their numbers.
    Opnum: u16 {
        NETR_WKSTA_GET_INFO = 0;
    }
}

/// A call's arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Tells about the machine.
    WkstaGetInfo(WkstaGetInfoRequest),
    /// A method that is not known here: OP_RANGE_ERROR.
    Unknown(Opnum),
}

impl Request {
    /// Decodes a call's arguments. What does not decode is answered with BAD_STUB_DATA.
    pub fn decode(opnum: u16, stub: &[u8]) -> Result<Request, DecodeError> {
        match Opnum(opnum) {
            Opnum::NETR_WKSTA_GET_INFO => {
                WkstaGetInfoRequest::decode(stub).map(Request::WkstaGetInfo)
            }
            other => Ok(Request::Unknown(other)),
        }
    }
}

/// Arguments of NetrWkstaGetInfo ([MS-WKST] 3.2.4.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WkstaGetInfoRequest {
    /// The server that the client means.
    pub server_name: Option<String>,
    /// The level of information.
    pub level: u32,
}

impl WkstaGetInfoRequest {
    /// Decodes the stub.
    pub fn decode(stub: &[u8]) -> Result<WkstaGetInfoRequest, DecodeError> {
        let mut r = NdrReader::new(stub);
        Ok(WkstaGetInfoRequest { server_name: r.unique_string()?, level: r.u32()? })
    }
}

/// WKSTA_INFO_100.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WkstaInfo {
    /// The machine's NetBIOS name.
    pub computer_name: String,
    /// Its domain or workgroup.
    pub lan_group: String,
    /// Major version.
    pub version_major: u32,
    /// Minor version.
    pub version_minor: u32,
}

/// Results of NetrWkstaGetInfo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WkstaGetInfoResponse {
    /// The level that was asked for. Any but 100 is INVALID_LEVEL.
    pub level: u32,
    /// The machine, or why it is not told.
    pub info: Result<WkstaInfo, NetStatus>,
}

impl WkstaGetInfoResponse {
    /// Encodes the stub.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.u32(self.level);
        let status = match (&self.info, self.level) {
            (Ok(info), 100) => {
                w.pointer(true);
                w.u32(super::srvsvc::PLATFORM_ID_NT);
                w.pointer(true);
                w.pointer(true);
                w.u32(info.version_major);
                w.u32(info.version_minor);
                w.string(&info.computer_name);
                w.string(&info.lan_group);
                NetStatus::SUCCESS
            }
            (Err(status), 100) => {
                w.pointer(false);
                *status
            }
            _ => {
                w.pointer(false);
                NetStatus::INVALID_LEVEL
            }
        };
        w.u32(status.0);
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let mut w = NdrWriter::new();
        w.pointer(false);
        w.u32(100);
        let stub = w.finish();
        let request = WkstaGetInfoRequest { server_name: None, level: 100 };
        assert_eq!(Request::decode(0, &stub), Ok(Request::WkstaGetInfo(request)));
        for length in 0..stub.len() {
            assert!(Request::decode(0, &stub[..length]).is_err());
        }

        let info = WkstaInfo {
            computer_name: "HOLDFAST".to_owned(),
            lan_group: "WORKGROUP".to_owned(),
            version_major: 6,
            version_minor: 1,
        };
        let stub = WkstaGetInfoResponse { level: 100, info: Ok(info) }.encode();
        let mut r = NdrReader::new(&stub);
        let read: Vec<u32> = (0..7).map(|_| r.u32().unwrap()).collect();
        assert_eq!(read, [100, 0x20000, 500, 0x20004, 0x20008, 6, 1]);
        assert_eq!(r.string().as_deref(), Ok("HOLDFAST"));
        assert_eq!(r.string().as_deref(), Ok("WORKGROUP"));
        assert_eq!(r.u32(), Ok(0));
    }
}
