//! NetrServerGetInfo ([MS-SRVS] 3.1.4.17), levels 100 and 101.

use crate::rpc::NetStatus;
use crate::rpc::ndr::{NdrReader, NdrWriter};
use crate::types::flags::wire_flags;
use crate::wire::DecodeError;

/// PLATFORM_ID_NT, which every server of this protocol says that it is.
pub const PLATFORM_ID_NT: u32 = 500;

wire_flags! {
    /// Software types ([MS-SRVS] 2.2.2.7).
    ServerType: u32 {
        WORKSTATION = 0x0000_0001;
        SERVER = 0x0000_0002;
        NT = 0x0000_1000;
        SERVER_NT = 0x0000_8000;
        CLUSTER_NT = 0x0100_0000;
        CLUSTER_VS_NT = 0x0400_0000;
    }
}

/// The arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerGetInfoRequest {
    /// The server that the client means.
    pub server_name: Option<String>,
    /// The level of information.
    pub level: u32,
}

impl ServerGetInfoRequest {
    /// Decodes the stub.
    pub fn decode(stub: &[u8]) -> Result<ServerGetInfoRequest, DecodeError> {
        let mut r = NdrReader::new(stub);
        Ok(ServerGetInfoRequest { server_name: r.unique_string()?, level: r.u32()? })
    }
}

/// What the levels tell about the server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerInfo {
    /// Its name.
    pub name: String,
    /// Major version.
    pub version_major: u32,
    /// Minor version.
    pub version_minor: u32,
    /// What it is.
    pub server_type: ServerType,
    /// What people are told about it.
    pub comment: String,
}

/// The results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerGetInfoResponse {
    /// The level that was asked for. Any but 100 and 101 is INVALID_LEVEL.
    pub level: u32,
    /// The server, or why it is not told.
    pub info: Result<ServerInfo, NetStatus>,
}

impl ServerGetInfoResponse {
    /// Encodes the stub.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.u32(self.level);
        let status = match (&self.info, self.level) {
            (Ok(info), 100 | 101) => {
                w.pointer(true);
                w.u32(PLATFORM_ID_NT);
                w.pointer(true);
                if self.level == 101 {
                    w.u32(info.version_major);
                    w.u32(info.version_minor);
                    w.u32(info.server_type.0);
                    w.pointer(true);
                }
                w.string(&info.name);
                if self.level == 101 {
                    w.string(&info.comment);
                }
                NetStatus::SUCCESS
            }
            (Err(status), 100 | 101) => {
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
pub(super) mod tests {
    use super::*;

    pub(in crate::rpc::srvsvc) fn stub(level: u32) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.pointer(true);
        w.string("holdfast");
        w.u32(level);
        w.finish()
    }

    #[test]
    fn arguments() {
        let request = ServerGetInfoRequest { server_name: Some("holdfast".to_owned()), level: 101 };
        assert_eq!(ServerGetInfoRequest::decode(&stub(101)), Ok(request));
    }

    #[test]
    fn results() {
        let info = ServerInfo {
            name: "HOLDFAST".to_owned(),
            version_major: 6,
            version_minor: 1,
            server_type: ServerType::SERVER,
            comment: "c".to_owned(),
        };
        let encode = |level| ServerGetInfoResponse { level, info: Ok(info.clone()) }.encode();
        let stub = encode(101);
        let mut r = NdrReader::new(&stub);
        let read: Vec<u32> = (0..8).map(|_| r.u32().unwrap()).collect();
        assert_eq!(read, [101, 0x20000, 500, 0x20004, 6, 1, 2, 0x20008]);
        assert_eq!(r.string().as_deref(), Ok("HOLDFAST"));
        assert_eq!(r.string().as_deref(), Ok("c"));
        assert_eq!(r.u32(), Ok(0));
        let stub = encode(102);
        let mut r = NdrReader::new(&stub);
        let read: Vec<u32> = (0..3).map(|_| r.u32().unwrap()).collect();
        assert_eq!(read, [102, 0, 124]);
    }
}
