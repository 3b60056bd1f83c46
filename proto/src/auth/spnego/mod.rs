//! SPNEGO (RFC 4178, [MS-SPNG]): the envelope in which a mechanism is agreed upon.
//!
//! A client may also send the mechanism's own token with no envelope; [`decode`] tells the two
//! apart. Decoding descends a fixed number of levels and never calls itself, so no token can
//! nest deeper than the code does.

mod der;
mod neg_token_init;
mod neg_token_resp;

use core::fmt;

use crate::wire::DecodeError;

pub use neg_token_init::{MAX_MECHANISMS, NegTokenInit, encode_hint, encode_mech_types};
pub use neg_token_resp::{NegState, NegTokenResp};

/// What every NTLM message begins with ([MS-NLMP] 2.2.1).
const NTLMSSP_SIGNATURE: &[u8] = b"NTLMSSP\0";

/// A mechanism's object identifier: the content of its DER encoding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mechanism<'a>(pub &'a [u8]);

impl Mechanism<'static> {
    /// 1.3.6.1.4.1.311.2.2.10
    pub const NTLMSSP: Mechanism<'static> =
        Mechanism(&[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A]);
    /// 1.2.840.113554.1.2.2
    pub const KERBEROS: Mechanism<'static> =
        Mechanism(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02]);
    /// 1.2.840.48018.1.2.2, a slip of long ago that clients still send
    pub const MS_KERBEROS: Mechanism<'static> =
        Mechanism(&[0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02, 0x02]);
    /// 1.3.6.1.4.1.311.2.2.30
    pub const NEGOEX: Mechanism<'static> =
        Mechanism(&[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1E]);
}

impl fmt::Debug for Mechanism<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Mechanism::NTLMSSP => f.write_str("NTLMSSP"),
            Mechanism::KERBEROS => f.write_str("Kerberos"),
            Mechanism::MS_KERBEROS => f.write_str("MS-Kerberos"),
            Mechanism::NEGOEX => f.write_str("NegoEx"),
            Mechanism(content) => write!(f, "OID{content:02x?}"),
        }
    }
}

/// Prints how long a token is: what it holds is nothing for a log.
struct Length<'a>(&'a [u8]);

impl fmt::Debug for Length<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// One token of SESSION_SETUP, by what it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// The first token of a negotiation.
    Init(NegTokenInit<'a>),
    /// Every later one, from either side.
    Resp(NegTokenResp<'a>),
    /// An NTLM message without an envelope: the answers go without one too.
    RawNtlm(&'a [u8]),
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Init(init) => init.fmt(f),
            Token::Resp(resp) => resp.fmt(f),
            Token::RawNtlm(message) => f.debug_tuple("RawNtlm").field(&Length(message)).finish(),
        }
    }
}

/// Tells what a token is and decodes its envelope.
pub fn decode(token: &[u8]) -> Result<Token<'_>, DecodeError> {
    if token.starts_with(NTLMSSP_SIGNATURE) {
        return Ok(Token::RawNtlm(token));
    }
    match token.first() {
        Some(&der::APPLICATION_0) => NegTokenInit::decode(token).map(Token::Init),
        Some(&der::CONTEXT_1) => NegTokenResp::decode(token).map(Token::Resp),
        Some(_) => Err(DecodeError::ProtocolId),
        None => Err(DecodeError::Truncated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::hex_vec;

    #[test]
    fn tokens_are_told_apart() {
        let raw = b"NTLMSSP\0\x01\0\0\0";
        assert_eq!(decode(raw), Ok(Token::RawNtlm(raw)));
        assert_eq!(decode(&[]), Err(DecodeError::Truncated));
        assert_eq!(decode(&[0x30, 0x00]), Err(DecodeError::ProtocolId));
        let resp = hex_vec("A11B3019A0030A0100A3120410010000003B453CDC3524164200000000");
        assert!(matches!(decode(&resp), Ok(Token::Resp(_))));
    }

    /// Neither a cut nor a changed byte makes the decoder do more than refuse.
    #[test]
    fn truncation_and_mutation() {
        let init = NegTokenInit {
            mech_types: vec![Mechanism::KERBEROS, Mechanism::NTLMSSP],
            mech_types_der: &[],
            mech_token: Some(b"NTLMSSP\0"),
            mech_list_mic: None,
        }
        .encode();
        let resp = NegTokenResp {
            state: Some(NegState::AcceptIncomplete),
            mechanism: Some(Mechanism::NTLMSSP),
            response_token: Some(&[7; 200]),
            mech_list_mic: Some(&[9; 16]),
        }
        .encode();
        for token in [init, resp, encode_hint(&[Mechanism::NTLMSSP])] {
            assert!(decode(&token).is_ok());
            for length in 0..token.len() {
                assert!(decode(&token[..length]).is_err(), "cut at {length}");
            }
            for position in 0..token.len() {
                for value in [0x00, 0x01, 0x7F, 0x80, 0x84, 0xFF] {
                    let mut changed = token.clone();
                    changed[position] = value;
                    let _ = decode(&changed);
                }
            }
        }
    }
}
