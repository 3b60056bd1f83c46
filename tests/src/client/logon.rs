//! NEGOTIATE, SESSION_SETUP with NTLMv2, TREE_CONNECT: from a connection to a share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::auth::ntlmssp::{Negotiate, NegotiateFlags};
use holdfast_proto::auth::ntlmv2::{ClientLogon, ClientRandom, NtHash};
use holdfast_proto::crypto::{
    self, Key128, PreauthHash, SessionKeys, SigningAlgorithm, SigningKey,
};
use holdfast_proto::header::HeaderFlags;
use holdfast_proto::msg::negotiate::{
    GlobalCapabilities, HashAlgorithm, PreauthIntegrityCapabilities, SecurityMode,
    SigningAlgorithm as WireAlgorithm, SigningCapabilities,
};
use holdfast_proto::msg::{
    NegotiateContexts, NegotiateRequest, NegotiateResponse, Request, Response, SessionSetupRequest,
    TreeConnectRequest,
};
use holdfast_proto::types::{ClientGuid, Dialect, FileTime, SessionId};
use parking_lot::Mutex;

use super::connection::{Answer, Connection, NoAnswer, Patience, Watcher};
use super::envelope::Envelope;
use super::leases::Leases;
use crate::random::Random;

/// Who logs on to what.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: String,
    pub password: String,
    pub share: String,
}

/// A share on a node.
pub struct Link {
    pub connection: Connection,
    pub session: SessionId,
    pub tree: u32,
    /// Counted from 1.
    pub node: u64,
    /// The node's wall clock when the connection was made.
    pub clock: FileTime,
}

/// One attempt to log on.
pub struct Logon<'a> {
    pub account: &'a Account,
    pub client_guid: ClientGuid,
    pub watcher: &'a Arc<dyn Watcher>,
    pub leases: &'a Arc<Mutex<Leases>>,
    /// The session that died with the last connection; 0 for none.
    pub previous: SessionId,
    /// Offer AES-GMAC before AES-CMAC.
    pub gmac: bool,
    /// For the connection to be made.
    pub connect: Duration,
    /// For each answer.
    pub limit: Duration,
}

const NTLM_FLAGS: NegotiateFlags = NegotiateFlags(
    NegotiateFlags::UNICODE.0
        | NegotiateFlags::REQUEST_TARGET.0
        | NegotiateFlags::SIGN.0
        | NegotiateFlags::NTLM.0
        | NegotiateFlags::EXTENDED_SESSION_SECURITY.0
        | NegotiateFlags::KEY_128.0
        | NegotiateFlags::KEY_EXCH.0,
);

const CAPABILITIES: GlobalCapabilities = GlobalCapabilities(
    GlobalCapabilities::LEASING.0
        | GlobalCapabilities::LARGE_MTU.0
        | GlobalCapabilities::PERSISTENT_HANDLES.0,
);

/// The time that NTLM's answer names: any will do, for the server's own comes with its challenge.
const SOME_TIME: FileTime = FileTime(134_000_000_000_000_000);

impl Logon<'_> {
    /// Logs on at `node` and connects to the share. A session that the server made is told in
    /// `made` even if what follows fails.
    pub async fn run(
        &self,
        node: u64,
        address: SocketAddr,
        random: &mut Random,
        made: &mut SessionId,
    ) -> Result<Link, NoAnswer> {
        let (watcher, leases) = (self.watcher.clone(), self.leases.clone());
        let connection = Connection::open(address, self.connect, watcher, leases).await?;
        let linked = self.link(&connection, node, random, made).await;
        if linked.is_err() {
            connection.close();
        }
        linked
    }

    async fn link(
        &self,
        connection: &Connection,
        node: u64,
        random: &mut Random,
        made: &mut SessionId,
    ) -> Result<Link, NoAnswer> {
        let mut preauth = PreauthHash::ZERO;
        let (algorithm, clock) = self.negotiate(connection, random, &mut preauth).await?;
        let session = self.set_up(connection, random, &mut preauth, algorithm, made).await?;
        let envelope = Envelope { session, ..Envelope::default() };
        let path = format!("\\\\holdfast\\{}", self.account.share);
        let request = TreeConnectRequest { path, ..TreeConnectRequest::default() };
        let (answer, _) = connection.exchange(&request.into(), envelope, self.patience()).await?;
        if answer.header.status != NtStatus::SUCCESS {
            return Err(self.refused("TREE_CONNECT", answer.header.status));
        }
        let tree = answer.header.tree_id().unwrap_or(0);
        connection.acknowledge_on(tree);
        Ok(Link { connection: connection.clone(), session, tree, node, clock })
    }

    fn patience(&self) -> Patience {
        Patience { answer: self.limit, pending: self.limit, cancel: false }
    }

    /// A refusal that no want of a leader excuses is told.
    fn refused(&self, what: &'static str, status: NtStatus) -> NoAnswer {
        let wrong = [
            NtStatus::LOGON_FAILURE,
            NtStatus::BAD_NETWORK_NAME,
            NtStatus::ACCESS_DENIED,
            NtStatus::INVALID_PARAMETER,
        ];
        if wrong.contains(&status) {
            self.bad(format!("{what} is refused: {status}"));
        }
        NoAnswer
    }

    fn bad(&self, what: String) {
        self.watcher.bad_answer(what);
    }

    async fn negotiate(
        &self,
        connection: &Connection,
        random: &mut Random,
        preauth: &mut PreauthHash,
    ) -> Result<(SigningAlgorithm, FileTime), NoAnswer> {
        let mut salt = [0; 32];
        random.fill(&mut salt);
        let signing_algorithms = match self.gmac {
            true => vec![WireAlgorithm::AES_GMAC, WireAlgorithm::AES_CMAC],
            false => vec![WireAlgorithm::AES_CMAC],
        };
        let request = NegotiateRequest {
            security_mode: SecurityMode::SIGNING_ENABLED,
            capabilities: CAPABILITIES,
            client_guid: self.client_guid,
            dialects: vec![Dialect::SMB_3_0_2, Dialect::SMB_3_1_1],
            contexts: NegotiateContexts {
                preauth: Some(PreauthIntegrityCapabilities {
                    hash_algorithms: vec![HashAlgorithm::SHA_512],
                    salt: Bytes::copy_from_slice(&salt),
                }),
                signing: Some(SigningCapabilities { signing_algorithms }),
                ..NegotiateContexts::default()
            },
        };
        let (answer, sent) =
            connection.exchange(&request.into(), Envelope::default(), self.patience()).await?;
        preauth.update(&sent);
        preauth.update(&answer.message);
        let response: NegotiateResponse = match self.decode("NEGOTIATE", &answer)? {
            Response::Negotiate(response) => response,
            other => return Err(self.unexpected("NEGOTIATE", &other)),
        };
        let chosen = response
            .contexts
            .signing
            .as_ref()
            .and_then(|signing| signing.signing_algorithms.first())
            .and_then(|algorithm| SigningAlgorithm::from_wire(algorithm.0));
        let offered = response.dialect_revision == Dialect::SMB_3_1_1
            && response.capabilities.contains(GlobalCapabilities::PERSISTENT_HANDLES);
        if !offered {
            self.bad("a server without 3.1.1 or persistent handles".to_owned());
        }
        Ok((chosen.unwrap_or(SigningAlgorithm::AesCmac), response.system_time))
    }

    async fn set_up(
        &self,
        connection: &Connection,
        random: &mut Random,
        preauth: &mut PreauthHash,
        algorithm: SigningAlgorithm,
        made: &mut SessionId,
    ) -> Result<SessionId, NoAnswer> {
        let negotiate = Negotiate { flags: NTLM_FLAGS, version: None }.encode();
        let first = self.token(connection, &negotiate, SessionId(0), preauth).await?;
        if first.header.status != NtStatus::MORE_PROCESSING_REQUIRED {
            return Err(self.refused("SESSION_SETUP", first.header.status));
        }
        preauth.update(&first.message);
        let session = first.header.session_id;
        let challenge = match self.decode("SESSION_SETUP", &first)? {
            Response::SessionSetup(response) => response.security_buffer,
            other => return Err(self.unexpected("SESSION_SETUP", &other)),
        };
        let mut session_key = [0; 16];
        random.fill(&mut session_key);
        let client_random = ClientRandom {
            challenge: random.next_u64().to_le_bytes(),
            session_key: Key128::new(session_key),
        };
        let logon = ClientLogon {
            user: &self.account.user,
            domain: "",
            workstation: "RUNNER",
            target_name: "cifs/holdfast",
            hash: NtHash::of_password(&self.account.password),
        };
        let answer = logon
            .answer(NTLM_FLAGS, &negotiate, &challenge, SOME_TIME, &client_random)
            .map_err(|error| {
                self.bad(format!("a CHALLENGE that is none: {error}"));
                NoAnswer
            })?;
        let last = self.token(connection, &answer.message, session, preauth).await?;
        if last.header.status != NtStatus::SUCCESS {
            return Err(self.refused("SESSION_SETUP", last.header.status));
        }
        *made = session;
        let keys = SessionKeys::derive(&answer.session_key, preauth);
        let key = SigningKey::new(algorithm, &keys.signing);
        let signed = last.header.flags.contains(HeaderFlags::SIGNED)
            && key.verify_message(crypto::Sender::Server, &last.message);
        if !signed {
            self.bad("the last answer to SESSION_SETUP is not signed, or wrongly".to_owned());
        }
        let acknowledging = Envelope { session, ..Envelope::default() };
        connection.sign_with(key, acknowledging);
        Ok(session)
    }

    async fn token(
        &self,
        connection: &Connection,
        token: &[u8],
        session: SessionId,
        preauth: &mut PreauthHash,
    ) -> Result<Answer, NoAnswer> {
        let request: Request = SessionSetupRequest {
            security_mode: SecurityMode::SIGNING_ENABLED,
            previous_session_id: self.previous,
            security_buffer: Bytes::copy_from_slice(token),
            ..SessionSetupRequest::default()
        }
        .into();
        let envelope = Envelope { session, ..Envelope::default() };
        let (answer, sent) = connection.exchange(&request, envelope, self.patience()).await?;
        preauth.update(&sent);
        Ok(answer)
    }

    fn decode(&self, what: &'static str, answer: &Answer) -> Result<Response, NoAnswer> {
        Response::decode(&answer.header, &answer.message).map_err(|error| {
            self.bad(format!("{what} is answered by what is no message: {error}"));
            NoAnswer
        })
    }

    fn unexpected(&self, what: &'static str, response: &Response) -> NoAnswer {
        if !matches!(response, Response::Error(_)) {
            self.bad(format!("{what} is answered by {response:?}"));
        }
        NoAnswer
    }
}
