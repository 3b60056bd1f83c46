//! CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2).

use super::{
    AvPairs, CHALLENGE, NegotiateFlags, Span, SpanSlot, Version, decode_preamble, encode_preamble,
};
use crate::wire::{DecodeError, Reader, Writer};

/// What the server answers a NEGOTIATE_MESSAGE with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// What both can do. The version's flag follows `version`.
    pub flags: NegotiateFlags,
    /// Eight random bytes, never given twice.
    pub server_challenge: [u8; 8],
    /// The name of the server or of its domain, as the flags tell.
    pub target_name: String,
    /// The server's names and its time.
    pub target_info: AvPairs,
    /// The server's version, if it tells one.
    pub version: Option<Version>,
}

/// The flags of a server that is in no domain, for a client that offered `client`
/// ([MS-NLMP] 3.2.5.1.1): what it asked for and we do, and what a server always says. Nothing
/// that would weaken the answer (OEM text, the LM key, datagrams) is ever agreed to.
pub fn challenge_flags(client: NegotiateFlags) -> NegotiateFlags {
    let supported = NegotiateFlags::UNICODE
        | NegotiateFlags::SIGN
        | NegotiateFlags::SEAL
        | NegotiateFlags::EXTENDED_SESSION_SECURITY
        | NegotiateFlags::VERSION
        | NegotiateFlags::KEY_128
        | NegotiateFlags::KEY_EXCH
        | NegotiateFlags::KEY_56;
    let always = NegotiateFlags::REQUEST_TARGET
        | NegotiateFlags::NTLM
        | NegotiateFlags::ALWAYS_SIGN
        | NegotiateFlags::TARGET_INFO
        | NegotiateFlags::TARGET_TYPE_SERVER;
    client & supported | always
}

impl Challenge {
    /// Decodes a message: the client's side.
    pub fn decode(message: &[u8]) -> Result<Challenge, DecodeError> {
        let mut r = Reader::new(message);
        decode_preamble(&mut r, CHALLENGE)?;
        let target_name = Span::decode(&mut r)?;
        let flags = NegotiateFlags(r.u32()?);
        let server_challenge = r.array()?;
        r.skip(8)?;
        let target_info = Span::decode(&mut r)?;
        let version = if flags.contains(NegotiateFlags::VERSION) {
            Some(Version::decode(&mut r)?)
        } else {
            None
        };
        if !flags.contains(NegotiateFlags::UNICODE) {
            return Err(DecodeError::Value);
        }
        let mut info = target_info.part(&r)?;
        let target_info =
            if info.is_empty() { AvPairs::new() } else { AvPairs::decode(&mut info)? };
        let target_name = target_name.part(&r)?.text()?;
        Ok(Challenge { flags, server_challenge, target_name, target_info, version })
    }

    /// Encodes a message: the server's side.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(256);
        encode_preamble(&mut w, CHALLENGE);
        let target_name = SpanSlot::reserve(&mut w);
        let mut flags = self.flags.without(NegotiateFlags::VERSION);
        if self.version.is_some() {
            flags |= NegotiateFlags::VERSION;
        }
        w.u32(flags.bits());
        w.bytes(&self.server_challenge);
        w.zeros(8);
        let target_info = SpanSlot::reserve(&mut w);
        if let Some(version) = self.version {
            version.encode(&mut w);
        }
        target_name.fill(&mut w, |w| w.utf16(&self.target_name));
        target_info.fill(&mut w, |w| self.target_info.encode(w));
        w.into_bytes().to_vec()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::auth::ntlmssp::AvId;
    use crate::crypto::vectors::{hex, hex_vec};

    /// [MS-NLMP] 4.2.4.3.
    pub(crate) const EXAMPLE: &str = "
        4e544c4d53535000020000000c000c00 3800000033828ae20123456789abcdef
        00000000000000002400240044000000 060070170000000f5300650072007600
        650072000200 0c0044006f006d006100 69006e0001000c005300650072007600
        6500720000000000";

    #[test]
    fn published_message_both_ways() {
        let bytes = hex_vec(EXAMPLE);
        let challenge = Challenge::decode(&bytes).unwrap();
        assert_eq!(challenge.flags, NegotiateFlags(0xE28A_8233));
        assert_eq!(challenge.server_challenge, hex("0123456789abcdef"));
        assert_eq!(challenge.target_name, "Server");
        let name = challenge.target_info.text(AvId::NB_DOMAIN_NAME);
        assert_eq!(name.as_deref(), Some("Domain"));
        assert_eq!(challenge.encode(), bytes);
    }

    #[test]
    fn truncation_and_mutation() {
        let bytes = hex_vec(EXAMPLE);
        for length in 0..bytes.len() {
            assert!(Challenge::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        for position in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[position] = value;
                let _ = Challenge::decode(&changed);
            }
        }
    }

    #[test]
    fn flags_never_weaken() {
        let all = challenge_flags(NegotiateFlags(u32::MAX));
        let weak = NegotiateFlags::OEM | NegotiateFlags::LM_KEY | NegotiateFlags::DATAGRAM;
        assert!(!all.intersects(weak | NegotiateFlags::ANONYMOUS));
        let none = challenge_flags(NegotiateFlags::NONE);
        assert!(!none.intersects(NegotiateFlags::KEY_EXCH | NegotiateFlags::UNICODE));
    }
}
