//! FSCTL_DFS_GET_REFERRALS: the request, REQ_GET_DFS_REFERRAL ([MS-DFSC] 2.2.2).

use super::FsctlPayload;
use crate::wire::{DecodeError, Reader, Writer};

/// Asks where a path leads.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DfsGetReferralsRequest {
    pub max_referral_level: u16,
    /// The path; on the wire it ends with a NUL.
    pub request_file_name: String,
}

impl FsctlPayload for DfsGetReferralsRequest {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let max_referral_level = r.u16()?;
        let (units, _) = r.rest().as_chunks::<2>();
        let end = units.iter().position(|unit| *unit == [0, 0]).unwrap_or(units.len());
        let request_file_name = crate::wire::decode_utf16(units[..end].as_flattened())?;
        Ok(DfsGetReferralsRequest { max_referral_level, request_file_name })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(self.max_referral_level);
        w.utf16(&self.request_file_name);
        w.u16(0);
    }
}
