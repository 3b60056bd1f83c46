//! NegTokenInit (RFC 4178 4.2.1) and NegTokenInit2 ([MS-SPNG] 2.2.1), which puts its hints
//! where the other has the signature of the mechanism list.

use core::fmt;

use super::der::{self, Elements};
use super::{Length, Mechanism};
use crate::wire::DecodeError;

/// 1.3.6.1.5.5.2, by which the token names itself.
const SPNEGO_OID: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x02];

/// The text that servers put where a principal name once stood ([MS-SPNG] 3.2.5.2).
const HINT_NAME: &[u8] = b"not_defined_in_RFC4178@please_ignore";

/// More mechanisms than any client knows.
pub const MAX_MECHANISMS: usize = 32;

/// The first token of a negotiation.
#[derive(Clone, PartialEq, Eq)]
pub struct NegTokenInit<'a> {
    /// What the sender could use, the one it likes best first.
    pub mech_types: Vec<Mechanism<'a>>,
    /// The list as it was received, from its SEQUENCE on: what mechListMIC signs. Not looked
    /// at when encoding.
    pub mech_types_der: &'a [u8],
    /// The first mechanism's first token, sent in the hope that it will be the one.
    pub mech_token: Option<&'a [u8]>,
    /// Signature over the list; in the first token it is never there in practice.
    pub mech_list_mic: Option<&'a [u8]>,
}

impl fmt::Debug for NegTokenInit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegTokenInit")
            .field("mech_types", &self.mech_types)
            .field("mech_token", &self.mech_token.map(Length))
            .field("mech_list_mic", &self.mech_list_mic.map(Length))
            .finish()
    }
}

impl<'a> NegTokenInit<'a> {
    /// Decodes a token with its GSS-API header.
    pub fn decode(token: &'a [u8]) -> Result<NegTokenInit<'a>, DecodeError> {
        let mut framed = Elements::new(der::only(token, der::APPLICATION_0)?);
        if framed.expect(der::OBJECT_IDENTIFIER)? != SPNEGO_OID {
            return Err(DecodeError::ProtocolId);
        }
        let inner = framed.expect(der::CONTEXT_0)?;
        framed.finish()?;

        let mut fields = Elements::new(der::only(inner, der::SEQUENCE)?);
        let mut init = NegTokenInit {
            mech_types: Vec::new(),
            mech_types_der: &[],
            mech_token: None,
            mech_list_mic: None,
        };
        let mut last_tag = 0;
        while let Some(field) = fields.next()? {
            // Fields come in order and at most once.
            if field.tag <= last_tag {
                return Err(DecodeError::Value);
            }
            last_tag = field.tag;
            match field.tag {
                der::CONTEXT_0 => init.set_mech_types(field.content)?,
                // reqFlags, which nobody uses.
                der::CONTEXT_1 => {}
                der::CONTEXT_2 => {
                    init.mech_token = Some(der::only(field.content, der::OCTET_STRING)?);
                }
                // The hints of NegTokenInit2 are a SEQUENCE; they mean nothing.
                der::CONTEXT_3 if field.content.first() == Some(&der::SEQUENCE) => {}
                der::CONTEXT_3 | der::CONTEXT_4 => {
                    init.mech_list_mic = Some(der::only(field.content, der::OCTET_STRING)?);
                }
                _ => return Err(DecodeError::Value),
            }
        }
        if init.mech_types.is_empty() {
            return Err(DecodeError::Value);
        }
        Ok(init)
    }

    fn set_mech_types(&mut self, content: &'a [u8]) -> Result<(), DecodeError> {
        let mut list = Elements::new(der::only(content, der::SEQUENCE)?);
        while let Some(element) = list.next()? {
            if element.tag != der::OBJECT_IDENTIFIER {
                return Err(DecodeError::Value);
            }
            if self.mech_types.len() == MAX_MECHANISMS {
                return Err(DecodeError::TooManyEntries);
            }
            self.mech_types.push(Mechanism(element.content));
        }
        self.mech_types_der = content;
        Ok(())
    }

    /// Encodes the token with its GSS-API header.
    pub fn encode(&self) -> Vec<u8> {
        let mech_types = der::element(der::CONTEXT_0, &[&encode_mech_types(&self.mech_types)]);
        let octets = |tag, content: Option<&[u8]>| match content {
            Some(content) => der::element(tag, &[&der::element(der::OCTET_STRING, &[content])]),
            None => Vec::new(),
        };
        let token = octets(der::CONTEXT_2, self.mech_token);
        let mic = octets(der::CONTEXT_3, self.mech_list_mic);
        frame(&[&mech_types, &token, &mic])
    }
}

/// The list of mechanisms from its SEQUENCE on: what mechListMIC signs.
pub fn encode_mech_types(mech_types: &[Mechanism<'_>]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = mech_types
        .iter()
        .map(|mechanism| der::element(der::OBJECT_IDENTIFIER, &[mechanism.0]))
        .collect();
    let list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    der::element(der::SEQUENCE, &list)
}

/// The NegTokenInit2 with which a server tells its mechanisms before it is asked: the security
/// buffer of a NEGOTIATE response.
pub fn encode_hint(mech_types: &[Mechanism<'_>]) -> Vec<u8> {
    let mech_types = der::element(der::CONTEXT_0, &[&encode_mech_types(mech_types)]);
    let name = der::element(der::CONTEXT_0, &[&der::element(der::GENERAL_STRING, &[HINT_NAME])]);
    let hints = der::element(der::CONTEXT_3, &[&der::element(der::SEQUENCE, &[&name])]);
    frame(&[&mech_types, &hints])
}

fn frame(fields: &[&[u8]]) -> Vec<u8> {
    let inner = der::element(der::CONTEXT_0, &[&der::element(der::SEQUENCE, fields)]);
    let oid = der::element(der::OBJECT_IDENTIFIER, &[SPNEGO_OID]);
    der::element(der::APPLICATION_0, &[&oid, &inner])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::hex_vec;

    /// The first token of Microsoft's published 3.1.1 example, as Windows sent it.
    const WINDOWS: &str = "
        604806062B0601050502A03E303CA00E300C060A2B06010401823702020AA22A
        04284E544C4D5353500001000000978208E20000000000000000000000000000
        00000603802500 00000F";

    #[test]
    fn windows_token_both_ways() {
        let bytes = hex_vec(WINDOWS);
        let init = NegTokenInit::decode(&bytes).unwrap();
        assert_eq!(init.mech_types, [Mechanism::NTLMSSP]);
        assert_eq!(init.mech_types_der, encode_mech_types(&[Mechanism::NTLMSSP]));
        assert!(init.mech_token.unwrap().starts_with(b"NTLMSSP\0\x01"));
        assert_eq!(init.mech_list_mic, None);
        assert_eq!(init.encode(), bytes);
    }

    #[test]
    fn hint_is_decoded_and_its_hints_passed_over() {
        let bytes = encode_hint(&[Mechanism::NTLMSSP]);
        let init = NegTokenInit::decode(&bytes).unwrap();
        assert_eq!(init.mech_types, [Mechanism::NTLMSSP]);
        assert_eq!((init.mech_token, init.mech_list_mic), (None, None));
    }

    #[test]
    fn no_mechanism_or_too_many() {
        let empty = frame(&[&der::element(der::CONTEXT_0, &[&encode_mech_types(&[])])]);
        assert_eq!(NegTokenInit::decode(&empty), Err(DecodeError::Value));
        let many = [Mechanism::NEGOEX; MAX_MECHANISMS + 1];
        let many = frame(&[&der::element(der::CONTEXT_0, &[&encode_mech_types(&many)])]);
        assert_eq!(NegTokenInit::decode(&many), Err(DecodeError::TooManyEntries));
    }

    #[test]
    fn repeated_field_is_refused() {
        let types = der::element(der::CONTEXT_0, &[&encode_mech_types(&[Mechanism::NTLMSSP])]);
        assert_eq!(NegTokenInit::decode(&frame(&[&types, &types])), Err(DecodeError::Value));
    }
}
