//! SMB2_NETNAME_NEGOTIATE_CONTEXT_ID ([MS-SMB2] 2.2.3.1.4).

use super::{NegotiateContext, NegotiateContextType};
use crate::wire::{DecodeError, Reader, Writer};

/// The name by which the client calls the server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NetName {
    pub net_name: String,
}

impl NegotiateContext for NetName {
    const TYPE: NegotiateContextType = NegotiateContextType::NETNAME_NEGOTIATE_CONTEXT_ID;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(NetName { net_name: r.text()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.utf16(&self.net_name);
    }
}
