//! NegTokenResp (RFC 4178 4.2.2): every token after the first.

use core::fmt;

use super::der::{self, Elements};
use super::{Length, Mechanism};
use crate::wire::DecodeError;

/// negState: how far the negotiation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NegState {
    /// Done.
    AcceptCompleted,
    /// Another token is needed.
    AcceptIncomplete,
    /// Given up.
    Reject,
    /// The mechanism is not the client's favourite, and the signature of the list is needed.
    RequestMic,
}

impl NegState {
    fn from_wire(value: u8) -> Option<NegState> {
        match value {
            0 => Some(NegState::AcceptCompleted),
            1 => Some(NegState::AcceptIncomplete),
            2 => Some(NegState::Reject),
            3 => Some(NegState::RequestMic),
            _ => None,
        }
    }

    fn to_wire(self) -> u8 {
        match self {
            NegState::AcceptCompleted => 0,
            NegState::AcceptIncomplete => 1,
            NegState::Reject => 2,
            NegState::RequestMic => 3,
        }
    }
}

/// A later token of a negotiation. Every field may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct NegTokenResp<'a> {
    /// How far the negotiation is.
    pub state: Option<NegState>,
    /// The mechanism that the server chose; in its first answer only.
    pub mechanism: Option<Mechanism<'a>>,
    /// The mechanism's token.
    pub response_token: Option<&'a [u8]>,
    /// The mechanism's signature over the list of mechanisms.
    pub mech_list_mic: Option<&'a [u8]>,
}

impl fmt::Debug for NegTokenResp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegTokenResp")
            .field("state", &self.state)
            .field("mechanism", &self.mechanism)
            .field("response_token", &self.response_token.map(Length))
            .field("mech_list_mic", &self.mech_list_mic.map(Length))
            .finish()
    }
}

impl<'a> NegTokenResp<'a> {
    /// Decodes a token, which has no GSS-API header.
    pub fn decode(token: &'a [u8]) -> Result<NegTokenResp<'a>, DecodeError> {
        let inner = der::only(token, der::CONTEXT_1)?;
        let mut fields = Elements::new(der::only(inner, der::SEQUENCE)?);
        let mut resp = NegTokenResp::default();
        let mut last_tag = 0;
        while let Some(field) = fields.next()? {
            if field.tag <= last_tag {
                return Err(DecodeError::Value);
            }
            last_tag = field.tag;
            match field.tag {
                der::CONTEXT_0 => {
                    let [value] = *der::only(field.content, der::ENUMERATED)? else {
                        return Err(DecodeError::Length);
                    };
                    resp.state = Some(NegState::from_wire(value).ok_or(DecodeError::Value)?);
                }
                der::CONTEXT_1 => {
                    let oid = der::only(field.content, der::OBJECT_IDENTIFIER)?;
                    resp.mechanism = Some(Mechanism(oid));
                }
                der::CONTEXT_2 => {
                    resp.response_token = Some(der::only(field.content, der::OCTET_STRING)?);
                }
                der::CONTEXT_3 => {
                    resp.mech_list_mic = Some(der::only(field.content, der::OCTET_STRING)?);
                }
                _ => return Err(DecodeError::Value),
            }
        }
        Ok(resp)
    }

    /// Encodes the token.
    pub fn encode(&self) -> Vec<u8> {
        let field = |context, tag, content: Option<&[u8]>| match content {
            Some(content) => der::element(context, &[&der::element(tag, &[content])]),
            None => Vec::new(),
        };
        let state = self.state.map(|state| [state.to_wire()]);
        let state = field(der::CONTEXT_0, der::ENUMERATED, state.as_ref().map(<[u8; 1]>::as_slice));
        let mechanism = self.mechanism.map(|mechanism| mechanism.0);
        let mechanism = field(der::CONTEXT_1, der::OBJECT_IDENTIFIER, mechanism);
        let token = field(der::CONTEXT_2, der::OCTET_STRING, self.response_token);
        let mic = field(der::CONTEXT_3, der::OCTET_STRING, self.mech_list_mic);
        let fields = der::element(der::SEQUENCE, &[&state, &mechanism, &token, &mic]);
        der::element(der::CONTEXT_1, &[&fields])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::hex_vec;

    #[test]
    fn windows_last_token_both_ways() {
        let bytes = hex_vec("A11B3019A0030A0100A3120410010000003B453CDC3524164200000000");
        let resp = NegTokenResp::decode(&bytes).unwrap();
        assert_eq!(resp.state, Some(NegState::AcceptCompleted));
        assert_eq!((resp.mechanism, resp.response_token), (None, None));
        assert_eq!(resp.mech_list_mic, Some(&bytes[13..]));
        assert_eq!(resp.encode(), bytes);
    }

    #[test]
    fn all_fields_round_trip() {
        let resp = NegTokenResp {
            state: Some(NegState::RequestMic),
            mechanism: Some(Mechanism::NTLMSSP),
            response_token: Some(&[1; 300]),
            mech_list_mic: Some(&[2; 16]),
        };
        assert_eq!(NegTokenResp::decode(&resp.encode()), Ok(resp));
    }

    #[test]
    fn unknown_state_is_refused() {
        let bytes = hex_vec("A1073005A0030A0104");
        assert_eq!(NegTokenResp::decode(&bytes), Err(DecodeError::Value));
    }
}
