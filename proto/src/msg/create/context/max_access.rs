//! Maximal access: "MxAc" ([MS-SMB2] 2.2.13.2.5, 2.2.14.2.5).

use super::{CreateContext, exact};
use crate::status::NtStatus;
use crate::types::{AccessMask, FileTime};
use crate::wire::{DecodeError, Reader, Writer};

/// Tell the maximal access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueryMaximalAccess {
    /// Tell it only if the file has changed since then.
    pub timestamp: Option<FileTime>,
}

impl CreateContext for QueryMaximalAccess {
    const NAME: &'static [u8] = b"MxAc";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.is_empty() {
            return Ok(QueryMaximalAccess { timestamp: None });
        }
        exact(r, 8)?;
        Ok(QueryMaximalAccess { timestamp: Some(r.file_time()?) })
    }

    fn encode(&self, w: &mut Writer) {
        if let Some(timestamp) = self.timestamp {
            w.file_time(timestamp);
        }
    }
}

/// The maximal access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MaximalAccessResponse {
    pub query_status: NtStatus,
    pub maximal_access: AccessMask,
}

impl CreateContext for MaximalAccessResponse {
    const NAME: &'static [u8] = b"MxAc";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 8)?;
        let query_status = NtStatus(r.u32()?);
        Ok(MaximalAccessResponse { query_status, maximal_access: AccessMask(r.u32()?) })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.query_status.0);
        w.u32(self.maximal_access.0);
    }
}
