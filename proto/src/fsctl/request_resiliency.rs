//! FSCTL_LMR_REQUEST_RESILIENCY: the request ([MS-SMB2] 2.2.31.3). The response is empty.

use super::FsctlPayload;
use crate::wire::{DecodeError, Reader, Writer};

/// Asks that an open outlive its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResiliencyRequest {
    /// Milliseconds; 0 leaves it to the server.
    pub timeout: u32,
}

impl FsctlPayload for ResiliencyRequest {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let timeout = r.u32()?;
        r.skip(4)?;
        Ok(ResiliencyRequest { timeout })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.timeout);
        w.u32(0);
    }
}
