//! The server's judgement of an AUTHENTICATE_MESSAGE ([MS-NLMP] 3.2.5.1.2, 3.3.2).
//!
//! Invariant: there is no way to a session key but through the comparison of NTProofStr; the
//! MIC, whose presence the client asserts under that proof, is an addition and never a
//! substitute.

use subtle::ConstantTimeEq;

use super::{NtHash, exchanges_key, hmac_md5, mic, rc4_key};
use crate::auth::ntlmssp::{Authenticate, NtlmV2Response};
use crate::crypto::Key128;

/// The three messages as they went over the wire, without any envelope.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The client's first.
    pub negotiate: &'a [u8],
    /// The server's answer.
    pub challenge: &'a [u8],
    /// The client's second.
    pub authenticate: &'a [u8],
    /// ServerChallenge, as it stands in `challenge`.
    pub server_challenge: &'a [u8; 8],
}

/// What a logon that succeeded leaves behind.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// ExportedSessionKey: Session.SessionKey of SMB, and the root of signatures over SPNEGO's
    /// list.
    pub session_key: Key128,
}

/// Why a response is not accepted. All but the password say that somebody broke the protocol;
/// the peer is told the same for all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LogonRefusal {
    /// NTProofStr is not the one that the password yields.
    #[error("the password is wrong")]
    WrongPassword,
    /// The client says that the message is signed, and it has no room for a signature.
    #[error("the message integrity code is missing")]
    MicMissing,
    /// One of the three messages was changed on its way.
    #[error("the message integrity code is wrong")]
    MicWrong,
    /// Key exchange was agreed on, and the key is not one of 16 bytes.
    #[error("the encrypted session key is malformed")]
    SessionKeyMalformed,
}

/// Verifies the proof, then the MIC if the client says that there is one, and yields the
/// session key. `message` is `exchange.authenticate` decoded, `response` its NTLMv2 response.
///
/// For a user who does not exist, call it with a hash of random bytes, so that the answer takes
/// as long.
pub fn verify(
    hash: &NtHash,
    exchange: &Exchange<'_>,
    message: &Authenticate<'_>,
    response: &NtlmV2Response<'_>,
) -> Result<Accepted, LogonRefusal> {
    let key = hash.v2(&message.user, &message.domain);
    let proof = hmac_md5(key.expose(), &[exchange.server_challenge, response.signed]);
    if !bool::from(proof.ct_eq(&response.proof)) {
        return Err(LogonRefusal::WrongPassword);
    }
    // With NTLMv2 the key exchange key is the session base key.
    let base_key = Key128::new(hmac_md5(key.expose(), &[&proof]));
    let session_key = if exchanges_key(message.flags) {
        let encrypted = message
            .encrypted_session_key
            .try_into()
            .map_err(|_| LogonRefusal::SessionKeyMalformed)?;
        Key128::new(rc4_key(&base_key, encrypted))
    } else {
        base_key
    };
    if response.has_mic() {
        let found = message.mic.ok_or(LogonRefusal::MicMissing)?;
        let expected =
            mic(&session_key, exchange.negotiate, exchange.challenge, exchange.authenticate);
        if !bool::from(expected.ct_eq(&found)) {
            return Err(LogonRefusal::MicWrong);
        }
    }
    Ok(Accepted { session_key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ntlmssp::{AUTHENTICATE_EXAMPLE, ResponseKind};
    use crate::crypto::vectors::{hex, hex_vec};

    fn judge(bytes: &[u8], password: &str) -> Result<Accepted, LogonRefusal> {
        let message = Authenticate::decode(bytes).unwrap();
        let Ok(ResponseKind::NtlmV2(response)) = message.kind() else { panic!("not v2") };
        let exchange = Exchange {
            negotiate: &[],
            challenge: &[],
            authenticate: bytes,
            server_challenge: &hex("0123456789abcdef"),
        };
        verify(&NtHash::of_password(password), &exchange, &message, &response)
    }

    /// [MS-NLMP] 4.2.4.3, whose random session key is 0x55 sixteen times.
    #[test]
    fn published_message() {
        let bytes = hex_vec(AUTHENTICATE_EXAMPLE);
        let accepted = judge(&bytes, "Password").unwrap();
        assert_eq!(accepted.session_key.expose(), &[0x55; 16]);
        assert_eq!(judge(&bytes, "password").unwrap_err(), LogonRefusal::WrongPassword);
    }

    #[test]
    fn every_changed_byte_of_the_response_is_noticed() {
        let bytes = hex_vec(AUTHENTICATE_EXAMPLE);
        // The proof and what it covers, but for the reserved bytes' sake nothing is skipped.
        for position in 0x84..0xD8 {
            let mut changed = bytes.clone();
            changed[position] ^= 0x01;
            let message = Authenticate::decode(&changed).unwrap();
            if let Ok(ResponseKind::NtlmV2(_)) = message.kind() {
                let refusal = judge(&changed, "Password").unwrap_err();
                assert_eq!(refusal, LogonRefusal::WrongPassword, "byte {position:#x}");
            }
        }
    }
}
