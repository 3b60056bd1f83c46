//! FSCTL_SRV_REQUEST_RESUME_KEY: the response ([MS-SMB2] 2.2.32.3). The request is empty.

use super::FsctlPayload;
use crate::wire::{DecodeError, Reader, Writer};

/// The key by which a server-side copy names its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SrvRequestResumeKeyResponse {
    pub resume_key: [u8; 24],
}

impl FsctlPayload for SrvRequestResumeKeyResponse {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let resume_key = r.array()?;
        // ContextLength and Context, which is always empty.
        r.skip(4)?;
        Ok(SrvRequestResumeKeyResponse { resume_key })
    }

    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.resume_key);
        w.u32(0);
        // Clients expect 32 bytes, as if the empty Context took four.
        w.u32(0);
    }
}
