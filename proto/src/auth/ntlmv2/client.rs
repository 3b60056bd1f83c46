//! The client's answer to a CHALLENGE_MESSAGE ([MS-NLMP] 3.1.5.1.2): what tests and simulated
//! clients log on with.

use super::{NtHash, exchanges_key, hmac_md5, mic, rc4_key};
use crate::auth::ntlmssp::{Authenticate, AvFlags, AvId, Challenge, MIC, NegotiateFlags, Version};
use crate::crypto::Key128;
use crate::types::FileTime;
use crate::wire::{DecodeError, Writer};

/// Who logs on.
#[derive(Clone, Debug)]
pub struct ClientLogon<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The domain, often empty.
    pub domain: &'a str,
    /// The client's own name.
    pub workstation: &'a str,
    /// The service's name, such as `cifs/server`; empty to leave it out.
    pub target_name: &'a str,
    /// The password's hash.
    pub hash: NtHash,
}

/// The random bytes of one logon.
#[derive(Clone, Debug)]
pub struct ClientRandom {
    /// ClientChallenge.
    pub challenge: [u8; 8],
    /// RandomSessionKey, used if key exchange was agreed on.
    pub session_key: Key128,
}

/// The AUTHENTICATE_MESSAGE and the key that both sides then have.
#[derive(Clone, Debug)]
pub struct ClientAnswer {
    /// The message, without any envelope.
    pub message: Vec<u8>,
    /// ExportedSessionKey.
    pub session_key: Key128,
    /// What was agreed on.
    pub flags: NegotiateFlags,
}

impl ClientLogon<'_> {
    /// Answers `challenge`, which came for `negotiate`. `now` is used if the server tells no
    /// time of its own; if it does, the three messages are signed.
    pub fn answer(
        &self,
        offered: NegotiateFlags,
        negotiate: &[u8],
        challenge: &[u8],
        now: FileTime,
        random: &ClientRandom,
    ) -> Result<ClientAnswer, DecodeError> {
        let decoded = Challenge::decode(challenge)?;
        let flags = decoded.flags & (offered | NegotiateFlags::TARGET_INFO);
        let server_time = decoded.target_info.timestamp();
        let mut av_pairs = decoded.target_info.clone();
        if server_time.is_some() {
            av_pairs.set_flags(av_pairs.flags() | AvFlags::MIC_PRESENT);
        }
        if !self.target_name.is_empty() {
            av_pairs.set_text(AvId::TARGET_NAME, self.target_name);
        }

        let mut signed = Writer::new();
        signed.bytes(&[1, 1, 0, 0, 0, 0, 0, 0]);
        signed.file_time(server_time.unwrap_or(now));
        signed.bytes(&random.challenge);
        signed.zeros(4);
        av_pairs.encode(&mut signed);
        signed.zeros(4);
        let signed = signed.into_bytes();

        let key = self.hash.v2(self.user, self.domain);
        let proof = hmac_md5(key.expose(), &[&decoded.server_challenge, &signed]);
        let base_key = Key128::new(hmac_md5(key.expose(), &[&proof]));
        // A server that gives its time gets no LMv2 response.
        let lm_response = if server_time.is_some() {
            vec![0; 24]
        } else {
            let lm = hmac_md5(key.expose(), &[&decoded.server_challenge, &random.challenge]);
            [&lm[..], &random.challenge].concat()
        };
        let (session_key, encrypted) = if exchanges_key(flags) {
            let encrypted = rc4_key(&base_key, random.session_key.expose());
            (random.session_key.clone(), encrypted.to_vec())
        } else {
            (base_key, Vec::new())
        };

        let mut message = Authenticate {
            flags,
            lm_response: &lm_response,
            nt_response: &[&proof[..], &signed].concat(),
            domain: self.domain.to_owned(),
            user: self.user.to_owned(),
            workstation: self.workstation.to_owned(),
            encrypted_session_key: &encrypted,
            version: Some(Version::DEFAULT),
            mic: server_time.map(|_| [0; 16]),
        }
        .encode();
        if server_time.is_some() {
            let value = mic(&session_key, negotiate, challenge, &message);
            message[MIC].copy_from_slice(&value);
        }
        Ok(ClientAnswer { message, session_key, flags })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ntlmssp::{
        AUTHENTICATE_EXAMPLE, AvPairs, CHALLENGE_EXAMPLE, Negotiate, ResponseKind, challenge_flags,
    };
    use crate::auth::ntlmv2::{Exchange, LogonRefusal, verify};
    use crate::crypto::vectors::{hex, hex_vec};

    fn logon(password: &str) -> ClientLogon<'static> {
        ClientLogon {
            user: "User",
            domain: "Domain",
            workstation: "COMPUTER",
            target_name: "",
            hash: NtHash::of_password(password),
        }
    }

    fn random() -> ClientRandom {
        ClientRandom { challenge: [0xAA; 8], session_key: Key128::new([0x55; 16]) }
    }

    /// [MS-NLMP] 4.2.4: from the published challenge to the published answer, but for flags
    /// and version, which the example's client changed on its own.
    #[test]
    fn published_exchange() {
        let challenge = hex_vec(CHALLENGE_EXAMPLE);
        let answer = logon("Password")
            .answer(NegotiateFlags(u32::MAX), &[], &challenge, FileTime(0), &random())
            .unwrap();
        let expected = hex_vec(AUTHENTICATE_EXAMPLE);
        assert_eq!(answer.message[..60], expected[..60]);
        assert_eq!(answer.message[72..], expected[72..]);
        assert_eq!(answer.session_key.expose(), &[0x55; 16]);
    }

    struct Logon {
        negotiate: Vec<u8>,
        challenge: Vec<u8>,
        answer: ClientAnswer,
    }

    fn run(timestamp: bool, offered: NegotiateFlags) -> Logon {
        let negotiate = Negotiate { flags: offered, version: None }.encode();
        let mut target_info = AvPairs::new();
        target_info.set_text(AvId::NB_COMPUTER_NAME, "HOLDFAST");
        if timestamp {
            target_info.set_timestamp(FileTime(77));
        }
        let challenge = Challenge {
            flags: challenge_flags(offered),
            server_challenge: hex("0102030405060708"),
            target_name: "HOLDFAST".to_owned(),
            target_info,
            version: Some(Version::DEFAULT),
        }
        .encode();
        let answer = ClientLogon { target_name: "cifs/holdfast", ..logon("secret") }
            .answer(offered, &negotiate, &challenge, FileTime(5), &random())
            .unwrap();
        Logon { negotiate, challenge, answer }
    }

    fn judge(logon: &Logon, password: &str) -> Result<Key128, LogonRefusal> {
        let message = Authenticate::decode(&logon.answer.message).unwrap();
        let Ok(ResponseKind::NtlmV2(response)) = message.kind() else { panic!("not v2") };
        let exchange = Exchange {
            negotiate: &logon.negotiate,
            challenge: &logon.challenge,
            authenticate: &logon.answer.message,
            server_challenge: &hex("0102030405060708"),
        };
        verify(&NtHash::of_password(password), &exchange, &message, &response)
            .map(|accepted| accepted.session_key)
    }

    fn usual() -> NegotiateFlags {
        NegotiateFlags::UNICODE
            | NegotiateFlags::NTLM
            | NegotiateFlags::SIGN
            | NegotiateFlags::EXTENDED_SESSION_SECURITY
            | NegotiateFlags::KEY_128
            | NegotiateFlags::KEY_EXCH
    }

    #[test]
    fn client_and_server_agree() {
        for timestamp in [false, true] {
            for flags in [usual(), usual().without(NegotiateFlags::KEY_EXCH)] {
                let logon = run(timestamp, flags);
                assert_eq!(judge(&logon, "secret").unwrap(), logon.answer.session_key);
                assert_eq!(judge(&logon, "Secret"), Err(LogonRefusal::WrongPassword));
            }
        }
    }

    #[test]
    fn a_changed_message_breaks_the_mic() {
        let mut logon = run(true, usual());
        logon.negotiate[12] ^= 0x20;
        assert_eq!(judge(&logon, "secret"), Err(LogonRefusal::MicWrong));
        let mut logon = run(true, usual());
        logon.answer.message[MIC.start] ^= 1;
        assert_eq!(judge(&logon, "secret"), Err(LogonRefusal::MicWrong));
        let mut logon = run(true, usual());
        *logon.answer.message.last_mut().unwrap() ^= 1;
        assert_eq!(judge(&logon, "secret"), Err(LogonRefusal::MicWrong));
    }

    #[test]
    fn a_mic_that_was_cut_out_is_missed() {
        let mut logon = run(true, usual());
        let bytes = &logon.answer.message;
        let message = Authenticate::decode(bytes).unwrap();
        logon.answer.message = Authenticate { mic: None, ..message }.encode();
        assert_eq!(judge(&logon, "secret"), Err(LogonRefusal::MicMissing));
    }
}
