//! From ids to what they stand for, and the checks that come before any handler ([MS-SMB2]
//! 3.3.5.2.4, 3.3.5.2.9, 3.3.5.2.11).

use std::sync::Arc;

use holdfast_proto::NtStatus;
use holdfast_proto::header::HeaderForm;
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::SessionId;

use super::table::{self, Needs, Row};
use super::{Call, Failure, Pending, RequestInfo};
use crate::connection::Connection;
use crate::core::{Inbound, Misuse, Protection, SessionSecurity, Violation};
use crate::node::Node;
use crate::session::{Session, TreeConnect};

/// The ids that a request counts with: its own, or those of the request before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ids {
    pub session: SessionId,
    pub tree: u32,
}

impl Ids {
    /// Those of the header. An asynchronous header names no tree connect.
    pub fn of(request: &Inbound) -> Ids {
        let tree = match request.header.form {
            HeaderForm::Sync { tree_id, .. } => tree_id,
            HeaderForm::Async { .. } => 0,
        };
        Ids { session: request.header.session_id, tree }
    }
}

/// Who a request comes from and how it was protected: known before anything else is judged,
/// because the answer has to be protected alike.
#[derive(Debug)]
pub struct Sender {
    pub session: Option<Arc<Session>>,
    pub signed: bool,
}

impl Sender {
    /// Finds the session and checks the signature.
    pub fn of(connection: &Connection, request: &Inbound, ids: Ids) -> Result<Sender, Violation> {
        let session = connection.session(ids.session);
        let encrypted = matches!(request.protection, Protection::Encrypted(_));
        let mut signed = false;
        // 3.3.5.2.4: what was decrypted is authentic already.
        if let (Some(session), true, false) = (&session, request.is_signed(), encrypted) {
            request.verify(&session.security)?;
            signed = true;
        }
        Ok(Sender { session, signed })
    }

    /// The keys that the answer is protected with.
    pub fn security(&self) -> Option<&Arc<SessionSecurity>> {
        self.session.as_ref().map(|session| &session.security)
    }
}

/// Lets a request in, or says why not.
pub fn admit(
    node: &Arc<Node>,
    connection: &Arc<Connection>,
    request: &Inbound,
    ids: Ids,
    sender: &Sender,
    pending: &Arc<Pending>,
) -> Result<(&'static Row, Call), Failure> {
    let opcode = request.header.command;
    if !Opcode::ALL.contains(&opcode) {
        // 3.3.5.2.6.
        return Err(Failure::Disconnect("a command that there is not"));
    }
    let row = table::row(opcode).ok_or(NtStatus::NOT_SUPPORTED)?;
    let refuse = |refusal: Refusal| {
        if let Some(why) = refusal.why {
            connection.note_misuse(opcode, why);
        }
        refusal.failure
    };
    let encrypted = matches!(request.protection, Protection::Encrypted(_));
    if opcode == Opcode::NEGOTIATE && request.is_signed() && !encrypted {
        // 3.3.5.2.4.
        return Err(refuse(Refusal::new(NtStatus::INVALID_PARAMETER, Misuse::SignedNegotiate)));
    }
    let names_session = request.is_signed() || (!encrypted && ids.session != SessionId(0));
    if row.needs >= Needs::Session || (row.needs == Needs::SessionIfNamed && names_session) {
        check_protection(sender, opcode, encrypted).map_err(refuse)?;
    }
    let mut tree = None;
    if row.needs >= Needs::Tree {
        let session = sender.session.as_ref().ok_or(NtStatus::USER_SESSION_DELETED)?;
        tree = Some(find_tree(session, ids.tree, encrypted).map_err(refuse)?);
    }
    let header = &request.header;
    let info = RequestInfo {
        message_id: header.message_id,
        channel_sequence: header.channel_sequence(),
        replay: header.flags.contains(holdfast_proto::header::HeaderFlags::REPLAY_OPERATION),
        related: request.is_related(),
        encrypted,
        signed: sender.signed,
    };
    let mut header = *header;
    header.session_id = ids.session;
    let call = Call {
        node: node.clone(),
        connection: connection.clone(),
        info,
        pending: pending.clone(),
        session: sender.session.clone(),
        tree,
        header,
        message: request.message.clone(),
        related_file: None,
    };
    Ok((row, call))
}

/// Why a request is not let in, and what the log is to say of it.
struct Refusal {
    failure: Failure,
    why: Option<Misuse>,
}

impl Refusal {
    fn new(status: NtStatus, why: Misuse) -> Refusal {
        Refusal { failure: status.into(), why: Some(why) }
    }
}

/// A request of a session has to come signed or encrypted, because every node demands it; and
/// encrypted if the session demands that.
fn check_protection(sender: &Sender, opcode: Opcode, encrypted: bool) -> Result<(), Refusal> {
    let Some(session) = &sender.session else {
        return Err(Refusal::new(NtStatus::USER_SESSION_DELETED, Misuse::UnknownSession));
    };
    if encrypted {
        return Ok(());
    }
    if opcode == Opcode::TREE_CONNECT && !sender.signed {
        // 3.3.5.7, for 3.1.1. The log hears of it when the connection is closed.
        let failure = Failure::Disconnect("TREE_CONNECT is neither signed nor encrypted");
        return Err(Refusal { failure, why: None });
    }
    if !sender.signed {
        return Err(Refusal::new(NtStatus::ACCESS_DENIED, Misuse::Unsigned));
    }
    if session.security.terms().encrypt_data {
        return Err(Refusal::new(NtStatus::ACCESS_DENIED, Misuse::UnencryptedForSession));
    }
    Ok(())
}

/// That a tree connect is gone is nothing unusual: it may have been ended under the client.
fn find_tree(session: &Session, id: u32, encrypted: bool) -> Result<TreeConnect, Refusal> {
    let gone = || Refusal { failure: NtStatus::NETWORK_NAME_DELETED.into(), why: None };
    let tree = session.tree(id).ok_or_else(gone)?;
    if tree.encrypt() && !encrypted {
        return Err(Refusal::new(NtStatus::ACCESS_DENIED, Misuse::UnencryptedForShare));
    }
    Ok(tree)
}
