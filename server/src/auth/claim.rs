//! A user's claim and its judgement ([MS-NLMP] 3.2.5.1.2, [MS-SPNG] 3.3.5.2).

use holdfast_proto::auth::ntlmssp::{Authenticate, ResponseKind};
use holdfast_proto::auth::ntlmv2::{Direction, Exchange, NtHash, SessionSecurity, verify};
use holdfast_proto::auth::spnego::{NegState, NegTokenResp};
use holdfast_proto::crypto::Key128;

use super::AuthError;

/// NTLM's first two messages.
#[derive(Debug)]
pub(super) struct Challenged {
    pub(super) negotiate: Vec<u8>,
    pub(super) challenge: Vec<u8>,
    pub(super) server_challenge: [u8; 8],
}

/// SPNEGO's list of mechanisms and its protection.
#[derive(Debug)]
pub(super) struct MechList {
    /// The client's list: what its signature covers.
    pub(super) mech_types: Vec<u8>,
    /// The signature must be there.
    pub(super) mic_needed: bool,
    /// The client's signature.
    pub(super) mic: Option<Vec<u8>>,
}

/// A user's claim, with what is needed to judge it.
#[derive(Debug)]
pub struct Claim {
    user: String,
    messages: Challenged,
    authenticate: Vec<u8>,
    /// None for NTLM without an envelope.
    list: Option<MechList>,
}

/// A claim that held.
#[derive(Debug)]
pub struct Verified {
    pub session_key: Key128,
    /// The last token; empty for NTLM without an envelope.
    pub token: Vec<u8>,
}

impl Claim {
    pub(super) fn new(
        user: String,
        messages: Challenged,
        authenticate: Vec<u8>,
        list: Option<MechList>,
    ) -> Claim {
        Claim { user, messages, authenticate, list }
    }

    /// The user's name in the user's own spelling.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Judges the claim. For a user who does not exist, call it with a hash of random bytes and
    /// ignore the result, so that the answer takes as long.
    pub fn judge(&self, hash: &NtHash) -> Result<Verified, AuthError> {
        let message = Authenticate::decode(&self.authenticate)?;
        let ResponseKind::NtlmV2(response) = message.kind()? else {
            return Err(AuthError::WeakResponse);
        };
        let exchange = Exchange {
            negotiate: &self.messages.negotiate,
            challenge: &self.messages.challenge,
            authenticate: &self.authenticate,
            server_challenge: &self.messages.server_challenge,
        };
        let session_key = verify(hash, &exchange, &message, &response)?.session_key;
        let token = match &self.list {
            None => Vec::new(),
            Some(list) => {
                let direction = |d| SessionSecurity::new(&session_key, message.flags, d);
                let (client, server) =
                    (direction(Direction::ClientToServer), direction(Direction::ServerToClient));
                last_token(list, client, server)?
            }
        };
        Ok(Verified { session_key, token })
    }
}

/// Checks the client's signature of the list, and makes the server's if there was one.
fn last_token(
    list: &MechList,
    client: Option<SessionSecurity>,
    server: Option<SessionSecurity>,
) -> Result<Vec<u8>, AuthError> {
    let ours = match (&list.mic, client, server) {
        (Some(mic), Some(mut client), Some(mut server)) => {
            if !client.verify(&list.mech_types, mic) {
                return Err(AuthError::MechListMic);
            }
            Some(server.sign(&list.mech_types))
        }
        (None, _, _) if !list.mic_needed => None,
        (None, _, _) | (Some(_), _, _) => return Err(AuthError::MechListMic),
    };
    let resp = NegTokenResp {
        state: Some(NegState::AcceptCompleted),
        mechanism: None,
        response_token: None,
        mech_list_mic: ours.as_ref().map(<[u8; 16]>::as_slice),
    };
    Ok(resp.encode())
}
