//! SMB2_SIGNING_CAPABILITIES ([MS-SMB2] 2.2.3.1.7).

use super::{NegotiateContext, NegotiateContextType, count, identifiers};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// Signing algorithms.
    SigningAlgorithm: u16 {
        HMAC_SHA256 = 0x0000;
        AES_CMAC = 0x0001;
        AES_GMAC = 0x0002;
    }
}

/// Signing algorithms, the most preferred first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SigningCapabilities {
    pub signing_algorithms: Vec<SigningAlgorithm>,
}

impl NegotiateContext for SigningCapabilities {
    const TYPE: NegotiateContextType = NegotiateContextType::SIGNING_CAPABILITIES;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entries = r.u16()?;
        Ok(SigningCapabilities { signing_algorithms: identifiers(r, entries, SigningAlgorithm)? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(count(&self.signing_algorithms));
        for entry in &self.signing_algorithms {
            w.u16(entry.0);
        }
    }
}
