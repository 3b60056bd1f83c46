//! The server's side of one authentication: SPNEGO around NTLM, or NTLM alone ([MS-SMB2]
//! 3.3.5.5.3, [MS-SPNG] 3.3.5, [MS-NLMP] 3.2.5.1).

use holdfast_proto::auth::ntlmssp::{
    Authenticate, AvId, AvPairs, Challenge, Negotiate, ResponseKind, Version, challenge_flags,
};
use holdfast_proto::auth::ntlmv2::LogonRefusal;
use holdfast_proto::auth::spnego::{self, Mechanism, NegState, NegTokenResp, Token};
use holdfast_proto::types::FileTime;
use holdfast_proto::wire::DecodeError;

use super::claim::{Challenged, Claim, MechList};
use crate::limits;

/// How the cluster names itself: the same on all nodes, because clients compare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerNames {
    /// NetBIOS name, upper case, 15 characters at most.
    pub netbios: String,
    /// DNS name.
    pub dns: String,
}

/// Why an exchange ends without a logon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error("the token is malformed: {0}")]
    Malformed(#[from] DecodeError),
    #[error("no mechanism of the client is served")]
    NoMechanism,
    #[error("a token came out of order")]
    OutOfOrder,
    #[error("too many round trips")]
    TooManyRounds,
    #[error("the first token is too long to be kept")]
    TooLong,
    #[error("an anonymous logon")]
    Anonymous,
    #[error("LM or NTLMv1, which are not accepted")]
    WeakResponse,
    #[error("{0}")]
    Refused(#[from] LogonRefusal),
    #[error("the signature of the list of mechanisms is wrong or missing")]
    MechListMic,
}

impl AuthError {
    /// The client's bytes are no token, as opposed to a logon that failed.
    pub fn is_malformed(&self) -> bool {
        match self {
            AuthError::Malformed(_)
            | AuthError::OutOfOrder
            | AuthError::TooManyRounds
            | AuthError::TooLong => true,
            AuthError::NoMechanism
            | AuthError::Anonymous
            | AuthError::WeakResponse
            | AuthError::Refused(_)
            | AuthError::MechListMic => false,
        }
    }
}

/// What comes of one token.
#[derive(Debug)]
pub enum Step {
    /// Send this and wait for the next.
    Continue(Vec<u8>),
    /// Somebody claims to be a user: find the hash and judge.
    Claim(Claim),
}

/// An authentication under way.
#[derive(Debug, Default)]
pub struct Acceptor {
    rounds: u32,
    envelope: Envelope,
    stage: Stage,
}

/// What the NTLM messages travel in.
#[derive(Debug, Default)]
enum Envelope {
    /// No token came yet.
    #[default]
    Unknown,
    Raw,
    Spnego {
        /// The client's list: what mechListMIC signs.
        mech_types: Vec<u8>,
        /// NTLM is not the client's favourite: its signature of the list is needed.
        mic_needed: bool,
        /// The mechanism was told to the client.
        told: bool,
    },
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Start,
    Challenged(Challenged),
    /// The claim was given out.
    Over,
}

/// The security buffer of a NEGOTIATE response.
pub fn hint() -> Vec<u8> {
    spnego::encode_hint(&[Mechanism::NTLMSSP])
}

impl Acceptor {
    /// Takes the client's next token. `server_challenge` is random and used once; `now` is the
    /// wall clock.
    pub fn step(
        &mut self,
        token: &[u8],
        names: &ServerNames,
        server_challenge: [u8; 8],
        now: FileTime,
    ) -> Result<Step, AuthError> {
        self.rounds += 1;
        if self.rounds > limits::LOGON_ROUNDS_MAX {
            return Err(AuthError::TooManyRounds);
        }
        let mut list_mic = None;
        let message = match (spnego::decode(token)?, &mut self.envelope) {
            (Token::RawNtlm(message), envelope @ Envelope::Unknown) => {
                *envelope = Envelope::Raw;
                Some(message)
            }
            (Token::RawNtlm(message), Envelope::Raw) => Some(message),
            (Token::Init(init), envelope @ Envelope::Unknown) => {
                let position = init.mech_types.iter().position(|m| *m == Mechanism::NTLMSSP);
                let favourite = match position {
                    None => return Err(AuthError::NoMechanism),
                    Some(position) => position == 0,
                };
                if init.mech_types_der.len() > limits::FIRST_TOKEN_MAX {
                    return Err(AuthError::TooLong);
                }
                let mech_types = init.mech_types_der.to_vec();
                *envelope = Envelope::Spnego { mech_types, mic_needed: !favourite, told: false };
                init.mech_token.filter(|_| favourite)
            }
            // Some clients put the bare message into the second round.
            (Token::RawNtlm(message), Envelope::Spnego { .. }) => Some(message),
            (Token::Resp(resp), Envelope::Spnego { .. }) => {
                list_mic = resp.mech_list_mic.map(<[u8]>::to_vec);
                Some(resp.response_token.ok_or(AuthError::OutOfOrder)?)
            }
            (Token::Init(_) | Token::Resp(_), _) => return Err(AuthError::OutOfOrder),
        };
        match (message, std::mem::replace(&mut self.stage, Stage::Over)) {
            (None, Stage::Start) => {
                self.stage = Stage::Start;
                Ok(Step::Continue(self.wrap(None)))
            }
            (Some(message), Stage::Start) => {
                let challenged = challenge(message, names, server_challenge, now)?;
                let token = self.wrap(Some(&challenged.challenge));
                self.stage = Stage::Challenged(challenged);
                Ok(Step::Continue(token))
            }
            (Some(message), Stage::Challenged(messages)) => self.claim(message, messages, list_mic),
            (None, Stage::Challenged(_)) | (_, Stage::Over) => Err(AuthError::OutOfOrder),
        }
    }

    /// Puts a message that is not the last one into the client's envelope.
    fn wrap(&mut self, message: Option<&[u8]>) -> Vec<u8> {
        match &mut self.envelope {
            Envelope::Unknown | Envelope::Raw => message.unwrap_or_default().to_vec(),
            Envelope::Spnego { mic_needed, told, .. } => {
                let state =
                    if *mic_needed { NegState::RequestMic } else { NegState::AcceptIncomplete };
                // Both belong into the first answer only.
                let first = !std::mem::replace(told, true);
                NegTokenResp {
                    state: Some(if first { state } else { NegState::AcceptIncomplete }),
                    mechanism: first.then_some(Mechanism::NTLMSSP),
                    response_token: message,
                    mech_list_mic: None,
                }
                .encode()
            }
        }
    }

    fn claim(
        &self,
        message: &[u8],
        messages: Challenged,
        list_mic: Option<Vec<u8>>,
    ) -> Result<Step, AuthError> {
        let authenticate = Authenticate::decode(message)?;
        match authenticate.kind()? {
            ResponseKind::Anonymous => return Err(AuthError::Anonymous),
            ResponseKind::Lm | ResponseKind::NtlmV1 => return Err(AuthError::WeakResponse),
            ResponseKind::NtlmV2(_) => {}
        }
        let list = match &self.envelope {
            Envelope::Spnego { mech_types, mic_needed, .. } => Some(MechList {
                mech_types: mech_types.clone(),
                mic_needed: *mic_needed,
                mic: list_mic,
            }),
            Envelope::Unknown | Envelope::Raw => None,
        };
        let user = authenticate.user.clone();
        Ok(Step::Claim(Claim::new(user, messages, message.to_vec(), list)))
    }
}

fn challenge(
    message: &[u8],
    names: &ServerNames,
    server_challenge: [u8; 8],
    now: FileTime,
) -> Result<Challenged, AuthError> {
    if message.len() > limits::FIRST_TOKEN_MAX {
        return Err(AuthError::TooLong);
    }
    let negotiate = Negotiate::decode(message)?;
    let mut target_info = AvPairs::new();
    target_info.set_text(AvId::NB_DOMAIN_NAME, &names.netbios);
    target_info.set_text(AvId::NB_COMPUTER_NAME, &names.netbios);
    target_info.set_text(AvId::DNS_DOMAIN_NAME, &names.dns);
    target_info.set_text(AvId::DNS_COMPUTER_NAME, &names.dns);
    target_info.set_timestamp(now);
    let challenge = Challenge {
        flags: challenge_flags(negotiate.flags),
        server_challenge,
        target_name: names.netbios.clone(),
        target_info,
        version: Some(Version::DEFAULT),
    };
    Ok(Challenged { negotiate: message.to_vec(), challenge: challenge.encode(), server_challenge })
}

#[cfg(test)]
mod tests {
    use holdfast_proto::auth::ntlmssp::NegotiateFlags;
    use holdfast_proto::auth::ntlmv2::{
        ClientLogon, ClientRandom, Direction, NtHash, SessionSecurity,
    };
    use holdfast_proto::auth::spnego::NegTokenInit;
    use holdfast_proto::crypto::Key128;

    use super::*;

    const NOW: FileTime = FileTime(133_000_000_000_000_000);

    fn names() -> ServerNames {
        ServerNames { netbios: "HOLDFAST".into(), dns: "holdfast".into() }
    }

    fn logon(user: &str, password: &str) -> ClientLogon<'static> {
        ClientLogon {
            user: Box::leak(user.to_owned().into_boxed_str()),
            domain: "",
            workstation: "CLIENT",
            target_name: "cifs/holdfast",
            hash: NtHash::of_password(password),
        }
    }

    /// UNICODE, NTLM, SIGN, KEY_EXCH, KEY_128 and EXTENDED_SESSION_SECURITY.
    const FLAGS: NegotiateFlags = NegotiateFlags(0x6008_0211);

    fn first() -> Vec<u8> {
        Negotiate { flags: FLAGS, version: None }.encode()
    }

    /// Runs both sides; the key on each.
    fn run(raw: bool, favourite: bool, password: &str) -> Result<(Key128, Key128), AuthError> {
        let mut acceptor = Acceptor::default();
        let mech_types = if favourite {
            vec![Mechanism::NTLMSSP, Mechanism::KERBEROS]
        } else {
            vec![Mechanism::KERBEROS, Mechanism::NTLMSSP]
        };
        let negotiate = first();
        let init = NegTokenInit {
            mech_types: mech_types.clone(),
            mech_types_der: &[],
            mech_token: Some(if favourite { &negotiate } else { b"kerberos" }),
            mech_list_mic: None,
        };
        let token = if raw { negotiate.clone() } else { init.encode() };
        let mut step = acceptor.step(&token, &names(), [7; 8], NOW)?;
        if !raw && !favourite {
            let resp = NegTokenResp { response_token: Some(&negotiate), ..Default::default() };
            step = acceptor.step(&resp.encode(), &names(), [7; 8], NOW)?;
        }
        let Step::Continue(answer) = step else { panic!("too early") };
        let challenge = match spnego::decode(&answer)? {
            Token::RawNtlm(message) => message.to_vec(),
            Token::Resp(resp) => resp.response_token.unwrap().to_vec(),
            Token::Init(_) => panic!("not from a server"),
        };
        let random = ClientRandom { challenge: [3; 8], session_key: Key128::new([5; 16]) };
        let client =
            logon("alice", password).answer(FLAGS, &negotiate, &challenge, NOW, &random)?;
        let list = spnego::encode_mech_types(&mech_types);
        let mic =
            SessionSecurity::new(&client.session_key, client.flags, Direction::ClientToServer)
                .map(|mut security| security.sign(&list));
        let resp = NegTokenResp {
            response_token: Some(&client.message),
            mech_list_mic: mic.as_ref().map(<[u8; 16]>::as_slice),
            ..Default::default()
        };
        let token = if raw { client.message.clone() } else { resp.encode() };
        let Step::Claim(claim) = acceptor.step(&token, &names(), [0; 8], NOW)? else {
            panic!("no claim")
        };
        assert_eq!(claim.user(), "alice");
        let verified = claim.judge(&NtHash::of_password("secret"))?;
        Ok((verified.session_key, client.session_key))
    }

    #[test]
    fn both_sides_come_to_the_same_key() {
        for (raw, favourite) in [(true, true), (false, true), (false, false)] {
            let (server, client) = run(raw, favourite, "secret").unwrap();
            assert_eq!(server, client);
        }
    }

    #[test]
    fn a_wrong_password_is_refused() {
        let error = run(false, true, "Secret").unwrap_err();
        assert_eq!(error, AuthError::Refused(LogonRefusal::WrongPassword));
    }

    #[test]
    fn tokens_out_of_order_are_refused() {
        let mut acceptor = Acceptor::default();
        let resp = NegTokenResp { response_token: Some(b"x"), ..Default::default() }.encode();
        let error = acceptor.step(&resp, &names(), [0; 8], NOW).unwrap_err();
        assert_eq!(error, AuthError::OutOfOrder);
        assert!(acceptor.step(b"", &names(), [0; 8], NOW).is_err());
    }

    #[test]
    fn no_first_token_is_kept_that_is_too_long() {
        let mut negotiate = first();
        negotiate.resize(limits::FIRST_TOKEN_MAX, 0);
        assert!(Acceptor::default().step(&negotiate, &names(), [0; 8], NOW).is_ok());
        negotiate.push(0);
        let mut acceptor = Acceptor::default();
        let error = acceptor.step(&negotiate, &names(), [0; 8], NOW).unwrap_err();
        assert_eq!(error, AuthError::TooLong);
    }
}
