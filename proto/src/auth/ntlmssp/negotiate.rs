//! NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1).

use super::{NEGOTIATE, NegotiateFlags, SpanSlot, Version, decode_preamble, encode_preamble};
use crate::wire::{DecodeError, Reader, Writer};

/// What the client can do. Domain and workstation, which it may add in an OEM character set, are
/// passed over: the AUTHENTICATE_MESSAGE tells them again, and means it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiate {
    /// What the client offers.
    pub flags: NegotiateFlags,
    /// The client's version, if it told one.
    pub version: Option<Version>,
}

impl Negotiate {
    /// Decodes a message. Old clients end it behind the flags.
    pub fn decode(message: &[u8]) -> Result<Negotiate, DecodeError> {
        let mut r = Reader::new(message);
        decode_preamble(&mut r, NEGOTIATE)?;
        let flags = NegotiateFlags(r.u32()?);
        let version = if flags.contains(NegotiateFlags::VERSION) && r.remaining() >= 24 {
            r.skip(16)?;
            Some(Version::decode(&mut r)?)
        } else {
            None
        };
        Ok(Negotiate { flags, version })
    }

    /// Encodes a message without domain and workstation.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(40);
        encode_preamble(&mut w, NEGOTIATE);
        let mut flags = self.flags.without(NegotiateFlags::VERSION);
        if self.version.is_some() {
            flags |= NegotiateFlags::VERSION;
        }
        w.u32(flags.bits());
        let (domain, workstation) = (SpanSlot::reserve(&mut w), SpanSlot::reserve(&mut w));
        if let Some(version) = self.version {
            version.encode(&mut w);
        }
        domain.fill(&mut w, |_| ());
        workstation.fill(&mut w, |_| ());
        w.into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ntlmssp::SIGNATURE;

    #[test]
    fn round_trip() {
        for version in [None, Some(Version::DEFAULT)] {
            let flags = NegotiateFlags::UNICODE | NegotiateFlags::NTLM;
            let flags = if version.is_some() { flags | NegotiateFlags::VERSION } else { flags };
            let negotiate = Negotiate { flags, version };
            let bytes = negotiate.encode();
            assert_eq!(Negotiate::decode(&bytes), Ok(negotiate));
            for length in 0..16 {
                assert_eq!(Negotiate::decode(&bytes[..length]), Err(DecodeError::Truncated));
            }
        }
    }

    #[test]
    fn shortest_message_and_wrong_type() {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(&[1, 0, 0, 0, 7, 0x82, 0x08, 0xA2]);
        let negotiate = Negotiate::decode(&bytes).unwrap();
        assert_eq!(negotiate, Negotiate { flags: NegotiateFlags(0xA208_8207), version: None });
        bytes[8] = 2;
        assert_eq!(Negotiate::decode(&bytes), Err(DecodeError::Value));
        bytes[0] = b'n';
        assert_eq!(Negotiate::decode(&bytes), Err(DecodeError::ProtocolId));
    }
}
