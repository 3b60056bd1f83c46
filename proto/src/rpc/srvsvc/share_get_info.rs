//! NetrShareGetInfo ([MS-SRVS] 3.1.4.10).

use super::share_info::{ShareInfo, ShareLevel};
use crate::rpc::NetStatus;
use crate::rpc::ndr::{NdrReader, NdrWriter};
use crate::wire::DecodeError;

/// The arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareGetInfoRequest {
    /// The server that the client means.
    pub server_name: Option<String>,
    /// The share.
    pub net_name: String,
    /// The level of information.
    pub level: u32,
}

impl ShareGetInfoRequest {
    /// Decodes the stub.
    pub fn decode(stub: &[u8]) -> Result<ShareGetInfoRequest, DecodeError> {
        let mut r = NdrReader::new(stub);
        Ok(ShareGetInfoRequest {
            server_name: r.unique_string()?,
            net_name: r.string()?,
            level: r.u32()?,
        })
    }
}

/// The results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareGetInfoResponse {
    /// The level that was asked for.
    pub level: u32,
    /// The share, or why it is not told.
    pub share: Result<ShareInfo, NetStatus>,
}

impl ShareGetInfoResponse {
    /// True if this level can be told; INVALID_LEVEL if not.
    pub fn supports(level: u32) -> bool {
        ShareLevel::from_wire(level).is_some()
    }

    /// Encodes the stub. A level that cannot be told is INVALID_LEVEL whatever `share` is.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.u32(self.level);
        let status = match (&self.share, ShareLevel::from_wire(self.level)) {
            (Ok(share), Some(level)) => {
                w.pointer(true);
                level.encode_fixed(share, &mut w);
                level.encode_deferred(share, &mut w);
                NetStatus::SUCCESS
            }
            (share, level) => {
                w.pointer(false);
                match (share, level) {
                    (_, None) => NetStatus::INVALID_LEVEL,
                    (Err(status), _) => *status,
                    (Ok(_), Some(_)) => NetStatus::SUCCESS,
                }
            }
        };
        w.u32(status.0);
        w.finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rpc::srvsvc::Share1005Flags;

    pub(in crate::rpc::srvsvc) fn stub(name: &str, level: u32) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.pointer(false);
        w.string(name);
        w.u32(level);
        w.finish()
    }

    #[test]
    fn arguments() {
        let request =
            ShareGetInfoRequest { server_name: None, net_name: "demo".to_owned(), level: 1005 };
        assert_eq!(ShareGetInfoRequest::decode(&stub("demo", 1005)), Ok(request));
    }

    #[test]
    fn results() {
        let share = ShareInfo {
            name: "demo".to_owned(),
            remark: "a remark".to_owned(),
            path: "C:\\demo".to_owned(),
            max_uses: u32::MAX,
            flags: Share1005Flags::ENABLE_CA,
            ..ShareInfo::default()
        };
        let encode = |level| ShareGetInfoResponse { level, share: Ok(share.clone()) }.encode();
        let flags = encode(1005);
        let mut r = NdrReader::new(&flags);
        let read: Vec<u32> = (0..4).map(|_| r.u32().unwrap()).collect();
        assert_eq!(read, [1005, 0x20000, 0x4000, 0]);

        let uses = encode(2);
        let mut r = NdrReader::new(&uses);
        let read: Vec<u32> = (0..10).map(|_| r.u32().unwrap()).collect();
        let fields = [0x20004, 0, 0x20008, 0, u32::MAX, 0, 0x2000C, 0];
        assert_eq!(read[..2], [2, 0x20000]);
        assert_eq!(read[2..], fields);
        for expected in ["demo", "a remark", "C:\\demo"] {
            assert_eq!(r.string().as_deref(), Ok(expected));
        }
        assert_eq!(r.u32(), Ok(0));
        assert!(r.u32().is_err());
    }

    #[test]
    fn failures() {
        let refused = |level, status| {
            let stub = ShareGetInfoResponse { level, share: Err(status) }.encode();
            let mut r = NdrReader::new(&stub);
            (r.u32().unwrap(), r.u32().unwrap(), r.u32().unwrap())
        };
        assert_eq!(refused(1, NetStatus::NET_NAME_NOT_FOUND), (1, 0, 2310));
        assert_eq!(refused(88, NetStatus::NET_NAME_NOT_FOUND), (88, 0, 124));
    }
}
