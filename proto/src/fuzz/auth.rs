//! Tokens of SESSION_SETUP: SPNEGO and the messages of NTLM.

use crate::auth::ntlmssp::{Authenticate, Challenge, Negotiate, NegotiateFlags, ResponseKind};
use crate::auth::ntlmv2::{Exchange, NtHash, verify};
use crate::auth::spnego::{self, NegTokenInit, NegTokenResp, Token};

/// Any token, and what it carries.
pub(super) fn tokens(bytes: &[u8]) {
    match spnego::decode(bytes) {
        Ok(Token::Init(init)) => {
            let encoded = init.encode();
            let again = NegTokenInit::decode(&encoded).expect("what was encoded");
            assert_eq!(again.mech_types, init.mech_types);
            assert_eq!(again.mech_token, init.mech_token);
            assert_eq!(again.mech_list_mic, init.mech_list_mic);
            ntlm(init.mech_token.unwrap_or_default());
        }
        Ok(Token::Resp(resp)) => {
            assert_eq!(NegTokenResp::decode(&resp.encode()), Ok(resp));
            ntlm(resp.response_token.unwrap_or_default());
        }
        Ok(Token::RawNtlm(message)) => ntlm(message),
        Err(_) => ntlm(bytes),
    }
}

/// The flag that tells a version is set by encoding, if there is one.
fn plain(flags: NegotiateFlags) -> NegotiateFlags {
    flags.without(NegotiateFlags::VERSION)
}

fn ntlm(message: &[u8]) {
    if let Ok(negotiate) = Negotiate::decode(message) {
        let again = Negotiate::decode(&negotiate.encode()).expect("what was encoded");
        assert_eq!(plain(again.flags), plain(negotiate.flags));
        assert_eq!(again.version, negotiate.version);
    }
    if let Ok(challenge) = Challenge::decode(message) {
        assert_eq!(Challenge::decode(&challenge.encode()), Ok(challenge));
    }
    if let Ok(authenticate) = Authenticate::decode(message) {
        let again = authenticate.encode();
        let again = Authenticate::decode(&again).expect("what was encoded");
        assert_eq!(plain(again.flags), plain(authenticate.flags));
        assert_eq!(again.user, authenticate.user);
        assert_eq!(again.nt_response, authenticate.nt_response);
        assert_eq!(again.mic, authenticate.mic);
        judge(message, &authenticate);
    }
}

/// Nobody who does not know the password logs on.
fn judge(message: &[u8], authenticate: &Authenticate<'_>) {
    let Ok(ResponseKind::NtlmV2(response)) = authenticate.kind() else { return };
    let exchange = Exchange {
        negotiate: &[],
        challenge: &[],
        authenticate: message,
        server_challenge: &[0x42; 8],
    };
    let hash = NtHash::from_bytes([0x17; 16]);
    assert!(verify(&hash, &exchange, authenticate, &response).is_err());
}
