//! SMB2_TRANSPORT_CAPABILITIES ([MS-SMB2] 2.2.3.1.5).

use super::{NegotiateContext, NegotiateContextType};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Reader, Writer};

wire_flags! {
    /// What the transport gives.
    TransportCapabilityFlags: u32 {
        ACCEPT_TRANSPORT_LEVEL_SECURITY = 0x0000_0001;
    }
}

/// Whether the transport's own security may stand in for encryption.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TransportCapabilities {
    pub flags: TransportCapabilityFlags,
}

impl NegotiateContext for TransportCapabilities {
    const TYPE: NegotiateContextType = NegotiateContextType::TRANSPORT_CAPABILITIES;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(TransportCapabilities { flags: TransportCapabilityFlags(r.u32()?) })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.flags.0);
    }
}
