//! SMB2_PREAUTH_INTEGRITY_CAPABILITIES ([MS-SMB2] 2.2.3.1.1).

use bytes::Bytes;

use super::{NegotiateContext, NegotiateContextType, count, identifiers};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// Hash algorithms of pre-authentication integrity.
    HashAlgorithm: u16 {
        SHA_512 = 0x0001;
    }
}

/// Hash algorithms and a salt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PreauthIntegrityCapabilities {
    pub hash_algorithms: Vec<HashAlgorithm>,
    pub salt: Bytes,
}

impl NegotiateContext for PreauthIntegrityCapabilities {
    const TYPE: NegotiateContextType = NegotiateContextType::PREAUTH_INTEGRITY_CAPABILITIES;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let algorithms = r.u16()?;
        let salt_length = usize::from(r.u16()?);
        let hash_algorithms = identifiers(r, algorithms, HashAlgorithm)?;
        Ok(PreauthIntegrityCapabilities { hash_algorithms, salt: r.sub(salt_length)?.shared() })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(count(&self.hash_algorithms));
        w.u16(count(&self.salt));
        for algorithm in &self.hash_algorithms {
            w.u16(algorithm.0);
        }
        w.bytes(&self.salt);
    }
}
