//! SMB2_ENCRYPTION_CAPABILITIES ([MS-SMB2] 2.2.3.1.2).

use super::{NegotiateContext, NegotiateContextType, count, identifiers};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// Ciphers.
    Cipher: u16 {
        AES_128_CCM = 0x0001;
        AES_128_GCM = 0x0002;
        AES_256_CCM = 0x0003;
        AES_256_GCM = 0x0004;
    }
}

/// Ciphers, the most preferred first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EncryptionCapabilities {
    pub ciphers: Vec<Cipher>,
}

impl NegotiateContext for EncryptionCapabilities {
    const TYPE: NegotiateContextType = NegotiateContextType::ENCRYPTION_CAPABILITIES;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entries = r.u16()?;
        Ok(EncryptionCapabilities { ciphers: identifiers(r, entries, Cipher)? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(count(&self.ciphers));
        for entry in &self.ciphers {
            w.u16(entry.0);
        }
    }
}
