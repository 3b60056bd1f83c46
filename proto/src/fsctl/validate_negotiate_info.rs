//! FSCTL_VALIDATE_NEGOTIATE_INFO ([MS-SMB2] 2.2.31.4, 2.2.32.6).

use super::FsctlPayload;
use crate::msg::negotiate::{GlobalCapabilities, SecurityMode};
use crate::types::{Dialect, Guid};
use crate::wire::{DecodeError, Reader, Writer};

/// What the client offered when it negotiated.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ValidateNegotiateInfoRequest {
    pub capabilities: GlobalCapabilities,
    pub guid: Guid,
    pub security_mode: SecurityMode,
    pub dialects: Vec<Dialect>,
}

impl FsctlPayload for ValidateNegotiateInfoRequest {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let capabilities = GlobalCapabilities(r.u32()?);
        let guid = r.guid()?;
        let security_mode = SecurityMode(r.u16()?);
        let count = usize::from(r.u16()?);
        let (units, _) = r.take(count * 2)?.as_chunks::<2>();
        let dialects = units.iter().map(|unit| Dialect(u16::from_le_bytes(*unit))).collect();
        Ok(ValidateNegotiateInfoRequest { capabilities, guid, security_mode, dialects })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.capabilities.0);
        w.guid(self.guid);
        w.u16(self.security_mode.0);
        w.u16(u16::try_from(self.dialects.len()).unwrap_or(u16::MAX));
        for dialect in &self.dialects {
            w.u16(dialect.0);
        }
    }
}

/// What the server chose when it negotiated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ValidateNegotiateInfoResponse {
    pub capabilities: GlobalCapabilities,
    pub guid: Guid,
    pub security_mode: SecurityMode,
    pub dialect: Dialect,
}

impl FsctlPayload for ValidateNegotiateInfoResponse {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(ValidateNegotiateInfoResponse {
            capabilities: GlobalCapabilities(r.u32()?),
            guid: r.guid()?,
            security_mode: SecurityMode(r.u16()?),
            dialect: Dialect(r.u16()?),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.capabilities.0);
        w.guid(self.guid);
        w.u16(self.security_mode.0);
        w.u16(self.dialect.0);
    }
}
