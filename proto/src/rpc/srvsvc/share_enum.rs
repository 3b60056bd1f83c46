//! NetrShareEnum ([MS-SRVS] 3.1.4.8).

use super::share_info::{ShareInfo, ShareLevel};
use crate::rpc::NetStatus;
use crate::rpc::ndr::{NdrReader, NdrWriter};
use crate::wire::DecodeError;

/// The arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareEnumRequest {
    /// The server that the client means, often with leading backslashes.
    pub server_name: Option<String>,
    /// The level of information.
    pub level: u32,
    /// About how many bytes the client would like; all ones for all there is.
    pub preferred_maximum_length: u32,
    /// Where to go on; `None` if the client cannot go on.
    pub resume_handle: Option<u32>,
}

impl ShareEnumRequest {
    /// Decodes the stub.
    pub fn decode(stub: &[u8]) -> Result<ShareEnumRequest, DecodeError> {
        let mut r = NdrReader::new(stub);
        let server_name = r.unique_string()?;
        let level = r.u32()?;
        if r.u32()? != level {
            return Err(DecodeError::Value);
        }
        // An empty container, which the server's answer takes the place of.
        if r.pointer()? {
            r.u32()?;
            if r.pointer()? && r.u32()? != 0 {
                return Err(DecodeError::Value);
            }
        }
        let preferred_maximum_length = r.u32()?;
        let resume_handle = r.unique_u32()?;
        Ok(ShareEnumRequest { server_name, level, preferred_maximum_length, resume_handle })
    }
}

/// The results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareEnumResponse {
    /// The level that was asked for.
    pub level: u32,
    /// The shares; not looked at unless the call succeeded or there is more.
    pub shares: Vec<ShareInfo>,
    /// How many there are from where the client began.
    pub total_entries: u32,
    /// Where to go on, if the client gave such a handle.
    pub resume_handle: Option<u32>,
    /// How it went.
    pub status: NetStatus,
}

impl ShareEnumResponse {
    /// True if a list of this level can be told; INVALID_LEVEL if not.
    pub fn supports(level: u32) -> bool {
        matches!(
            ShareLevel::from_wire(level),
            Some(ShareLevel::Name | ShareLevel::Remark | ShareLevel::Uses | ShareLevel::Flags501)
        )
    }

    /// Encodes the stub.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.u32(self.level);
        w.u32(self.level);
        let told = matches!(self.status, NetStatus::SUCCESS | NetStatus::MORE_DATA);
        match ShareLevel::from_wire(self.level) {
            Some(level) if told && Self::supports(self.level) => {
                w.pointer(true);
                let count = u32::try_from(self.shares.len()).unwrap_or(u32::MAX);
                w.u32(count);
                w.pointer(true);
                w.u32(count);
                for share in &self.shares {
                    level.encode_fixed(share, &mut w);
                }
                for share in &self.shares {
                    level.encode_deferred(share, &mut w);
                }
            }
            _ => w.pointer(false),
        }
        w.u32(self.total_entries);
        w.unique_u32(self.resume_handle);
        w.u32(self.status.0);
        w.finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rpc::srvsvc::ShareType;

    pub(in crate::rpc::srvsvc) fn stub(level: u32) -> Vec<u8> {
        let mut w = NdrWriter::new();
        w.pointer(true);
        w.string("\\\\holdfast");
        w.u32(level);
        w.u32(level);
        w.pointer(true);
        w.u32(0);
        w.pointer(false);
        w.u32(u32::MAX);
        w.unique_u32(Some(0));
        w.finish()
    }

    #[test]
    fn arguments() {
        let request = ShareEnumRequest {
            server_name: Some("\\\\holdfast".to_owned()),
            level: 1,
            preferred_maximum_length: u32::MAX,
            resume_handle: Some(0),
        };
        assert_eq!(ShareEnumRequest::decode(&stub(1)), Ok(request));
    }

    #[test]
    fn results_of_level_1() {
        let share = |name: &str, share_type| ShareInfo {
            name: name.to_owned(),
            share_type,
            remark: "r".to_owned(),
            ..ShareInfo::default()
        };
        let response = ShareEnumResponse {
            level: 1,
            shares: vec![
                share("demo", ShareType::DISKTREE),
                share("IPC$", ShareType::IPC | ShareType::SPECIAL),
            ],
            total_entries: 2,
            resume_handle: Some(0),
            status: NetStatus::SUCCESS,
        };
        let stub = response.encode();
        let mut r = NdrReader::new(&stub);
        for expected in [1, 1, 0x20000, 2, 0x20004, 2] {
            assert_eq!(r.u32(), Ok(expected));
        }
        for expected in [0x20008, 0, 0x2000C, 0x20010, 0x8000_0003, 0x20014] {
            assert_eq!(r.u32(), Ok(expected));
        }
        for expected in ["demo", "r", "IPC$", "r"] {
            assert_eq!(r.string().as_deref(), Ok(expected));
        }
        assert_eq!(r.u32(), Ok(2));
        assert_eq!(r.unique_u32(), Ok(Some(0)));
        assert_eq!(r.u32(), Ok(0));
        assert!(r.u32().is_err());
    }

    #[test]
    fn a_level_that_is_unknown() {
        assert!(!ShareEnumResponse::supports(1005) && !ShareEnumResponse::supports(77));
        let response = ShareEnumResponse {
            level: 77,
            shares: Vec::new(),
            total_entries: 0,
            resume_handle: None,
            status: NetStatus::INVALID_LEVEL,
        };
        let stub = response.encode();
        let mut r = NdrReader::new(&stub);
        let read: Vec<u32> = (0..6).map(|_| r.u32().unwrap()).collect();
        assert_eq!(read, [77, 77, 0, 0, 0, 124]);
    }
}
