//! What a connection knows about its wire: message ids, what was negotiated, the hash chains of
//! negotiation and logons.
//!
//! Short calls under a lock: everything that costs time (decryption, signatures) is done on
//! values that were taken out of here.

use std::collections::BTreeMap;

use holdfast_proto::crypto::{Cipher, PreauthHash, SigningAlgorithm};
use holdfast_proto::header::Header;
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{ClientGuid, SessionId};

use super::{MessageWindow, Violation};
use crate::limits;

/// What NEGOTIATE agreed on ([MS-SMB2] 3.3.1.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiated {
    pub client_guid: ClientGuid,
    pub signing: SigningAlgorithm,
    /// None: the client offered no cipher that is served.
    pub cipher: Option<Cipher>,
    /// The client offered SMB2_GLOBAL_CAP_LEASING.
    pub leasing: bool,
    /// The client offered SMB2_GLOBAL_CAP_PERSISTENT_HANDLES.
    pub persistent_handles: bool,
}

/// The hash chain of one session that is being set up ([MS-SMB2] 3.3.5.5).
#[derive(Clone, Debug)]
pub struct Exchange {
    pub preauth: PreauthHash,
}

#[derive(Debug, Default)]
enum Stage {
    /// Nothing came yet.
    #[default]
    Fresh,
    /// The old protocol's NEGOTIATE was answered: the new one's has to follow.
    Asked,
    Negotiated(Negotiated),
}

/// The wire state of one connection.
#[derive(Debug, Default)]
pub struct ConnectionCore {
    stage: Stage,
    window: MessageWindow,
    /// Connection.PreauthIntegrityHashValue.
    preauth: PreauthHash,
    /// Session.PreauthIntegrityHashValue of sessions that are being set up.
    exchanges: BTreeMap<SessionId, Exchange>,
    /// A logon has succeeded: the client is somebody.
    authenticated: bool,
}

impl ConnectionCore {
    /// A connection that was just accepted.
    pub fn new() -> ConnectionCore {
        ConnectionCore::default()
    }

    /// What NEGOTIATE agreed on.
    pub fn negotiated(&self) -> Option<Negotiated> {
        match self.stage {
            Stage::Negotiated(negotiated) => Some(negotiated),
            Stage::Fresh | Stage::Asked => None,
        }
    }

    /// The largest frame that is accepted now.
    pub fn frame_max(&self) -> usize {
        if self.authenticated { limits::FRAME_MAX } else { limits::FRAME_MAX_UNAUTHENTICATED }
    }

    /// Takes the old protocol's NEGOTIATE, which counts as message 0.
    pub fn admit_smb1_negotiate(&mut self) -> Result<(), Violation> {
        if !matches!(self.stage, Stage::Fresh) || !self.window.take(0, 1) {
            return Err(Violation::NegotiatedTwice);
        }
        self.stage = Stage::Asked;
        Ok(())
    }

    /// Takes the message ids of a request. CANCEL uses none ([MS-SMB2] 3.3.5.16).
    pub fn admit(&mut self, header: &Header) -> Result<(), Violation> {
        let opcode = header.command;
        match (&self.stage, opcode) {
            (Stage::Negotiated(_), Opcode::NEGOTIATE) => return Err(Violation::NegotiatedTwice),
            (Stage::Negotiated(_), _) | (_, Opcode::NEGOTIATE) => {}
            (Stage::Fresh | Stage::Asked, _) => return Err(Violation::NotNegotiated(opcode)),
        }
        if opcode == Opcode::CANCEL || self.window.take(header.message_id, header.credit_charge) {
            return Ok(());
        }
        Err(Violation::MessageId { id: header.message_id, charge: header.credit_charge })
    }

    /// Credits for the response to a request that asked for `requested`.
    pub fn grant(&mut self, requested: u16) -> u16 {
        let limit = if self.authenticated {
            limits::CREDITS_MAX
        } else {
            limits::CREDITS_MAX_UNAUTHENTICATED
        };
        self.window.grant(requested, limit)
    }

    /// NEGOTIATE agreed; `request` is its message.
    pub fn set_negotiated(&mut self, negotiated: Negotiated, request: &[u8]) {
        self.stage = Stage::Negotiated(negotiated);
        self.preauth.update(request);
    }

    /// The response to NEGOTIATE, as it goes out.
    pub fn note_negotiate_response(&mut self, message: &[&[u8]]) {
        self.preauth.update_parts(message);
    }

    /// A request of an exchange; `fresh` if it is the first. The chain begins at the
    /// connection's.
    pub fn note_setup_request(&mut self, session: SessionId, fresh: bool, message: &[u8]) {
        if fresh {
            self.exchanges.insert(session, Exchange { preauth: self.preauth.clone() });
        }
        if let Some(exchange) = self.exchanges.get_mut(&session) {
            exchange.preauth.update(message);
        }
    }

    /// A response that asks for more, as it goes out. The one that ends an exchange is not part
    /// of the chain.
    pub fn note_setup_response(&mut self, session: SessionId, message: &[&[u8]]) {
        if let Some(exchange) = self.exchanges.get_mut(&session) {
            exchange.preauth.update_parts(message);
        }
    }

    /// The exchange is over: the context of its keys.
    pub fn end_exchange(&mut self, session: SessionId) -> Option<PreauthHash> {
        self.exchanges.remove(&session).map(|exchange| exchange.preauth)
    }

    /// How many sessions are being set up.
    pub fn exchange_count(&self) -> usize {
        self.exchanges.len()
    }

    /// A logon succeeded.
    pub fn set_authenticated(&mut self) {
        self.authenticated = true;
    }

    /// True once a logon succeeded.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }
}
