//! One frame's requests, in order: what a compound hands on, interim responses, and the answers
//! ([MS-SMB2] 3.3.5.2.7, 3.3.4.1, 3.3.4.2).

use std::sync::Arc;

use bytes::Bytes;
use holdfast_cluster::command::OpenRef;
use holdfast_proto::NtStatus;
use holdfast_proto::header::{Header, HeaderFlags, HeaderForm};
use holdfast_proto::msg::{ErrorResponse, FileId, Response};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::SessionId;
use tracing::debug;

use super::admit::{self, Ids, Sender};
use super::call::{self, Running};
use super::table::{NotReady, Row};
use super::{Failure, Given, HandlerResult, Pending, Reply, Started};
use crate::connection::{Connection, OutboundFrame};
use crate::core::{Inbound, Outgoing, Protection, Sealing, SessionSecurity, seal};
use crate::limits;
use crate::node::Node;
use crate::session::{LocalOpen, SessionOpen};

/// An answer that is ready to leave.
struct Answer {
    header: Header,
    response: Response,
    shield: Shield,
    about: Option<OpenRef>,
    /// The open that it gives out.
    gives: Option<Arc<LocalOpen>>,
}

/// How an answer is protected, with the keys that outlive their session's table entry.
#[derive(Clone)]
enum Shield {
    Clear,
    Signed(Arc<SessionSecurity>),
    Encrypted(Arc<SessionSecurity>),
}

impl Shield {
    fn sealing(&self) -> Sealing<'_> {
        match self {
            Shield::Clear => Sealing::Clear,
            Shield::Signed(security) => Sealing::Signed(security),
            Shield::Encrypted(security) => Sealing::Encrypted(security),
        }
    }
}

/// What a compound hands on from one request to the next.
struct Handed {
    ids: Option<Ids>,
    file: Option<FileId>,
    /// How the CREATE before failed: what would use its open fails alike.
    failed: Option<NtStatus>,
    /// There is no session or tree connect to hand on: every related request fails.
    orphaned: bool,
}

impl Handed {
    /// A chain of related requests begins.
    fn begin() -> Handed {
        Handed { ids: None, file: None, failed: None, orphaned: false }
    }
}

struct Chain {
    node: Arc<Node>,
    connection: Arc<Connection>,
    handed: Handed,
    ready: Vec<Answer>,
}

/// Runs the requests of one frame to their answers.
pub(crate) async fn run_chain(
    node: Arc<Node>,
    connection: Arc<Connection>,
    requests: Vec<(Inbound, Arc<Pending>)>,
) {
    let _guard = CloseOnPanic(connection.clone());
    let handed = Handed::begin();
    let mut chain = Chain { node, connection, handed, ready: Vec::with_capacity(requests.len()) };
    for (request, pending) in requests {
        if chain.connection.is_closed() {
            // Nobody hears the answers, and what has not begun need not begin.
            chain.connection.finish(&request.header, &pending, false);
            continue;
        }
        chain.run(request, pending).await;
    }
    chain.flush();
}

/// A handler that panics leaves requests without an answer: the client must not wait for them.
struct CloseOnPanic(Arc<Connection>);

impl Drop for CloseOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close("a handler failed; this is a defect of the server");
        }
    }
}

impl Chain {
    async fn run(&mut self, mut request: Inbound, pending: Arc<Pending>) {
        let related = request.is_related();
        let ids = match (related, self.handed.ids) {
            (true, Some(ids)) => ids,
            (true, None) | (false, _) => Ids::of(&request),
        };
        if !related {
            self.handed = Handed::begin();
        } else if self.handed.ids.is_none() {
            self.handed.orphaned = true;
        }
        self.handed.ids = Some(ids);
        let sender = match Sender::of(&self.connection, &request, ids) {
            Ok(sender) => sender,
            Err(violation) => return self.connection.close(&violation.to_string()),
        };
        let shield = shield(&self.connection, &request, &sender);
        let mut header = request.header;
        header.session_id = ids.session;
        header.form = match header.form {
            HeaderForm::Sync { process_id, .. } => {
                HeaderForm::Sync { process_id, tree_id: ids.tree }
            }
            form @ HeaderForm::Async { .. } => form,
        };
        let (row, result, asynchronous) = if self.handed.orphaned {
            (None, Err(NtStatus::INVALID_PARAMETER.into()), false)
        } else {
            self.execute(&mut request, ids, &sender, &pending, header, &shield).await
        };
        self.connection.finish(&request.header, &pending, asynchronous);
        self.answer(row, header, result, asynchronous, shield);
    }

    /// Admits the request and runs its handler. Sends the interim response if it takes long.
    async fn execute(
        &mut self,
        request: &mut Inbound,
        ids: Ids,
        sender: &Sender,
        pending: &Arc<Pending>,
        header: Header,
        shield: &Shield,
    ) -> (Option<&'static Row>, HandlerResult, bool) {
        let admitted = admit::admit(&self.node, &self.connection, request, ids, sender, pending);
        let (row, mut call) = match admitted {
            Ok(admitted) => admitted,
            Err(failure) => return (None, Err(failure), false),
        };
        if call.info.related {
            call.related_file = self.handed.file;
            // 3.3.5.2.7.2: where there is no open to hand on, what would use it fails alike.
            if let (Some(status), true) = (self.handed.failed, row.uses_open) {
                return (Some(row), Err(status.into()), false);
            }
        }
        let named = call::Naming::new(&call);
        let Started { file, running } = match (row.start)(call) {
            Ok(started) => started,
            Err(failure) => return (Some(row), Err(failure), false),
        };
        // The handler has taken what it needs; one that waits keeps no more.
        request.message = Bytes::new();
        let about = if row.about_open { named.about(file) } else { None };
        if file.is_some() {
            self.handed.file = file;
        }
        let (result, asynchronous) = if row.interim {
            self.drive(running, pending, header, shield).await
        } else {
            (running.await, false)
        };
        let result = result.map(|reply| Reply { about: reply.about.or(about), ..reply });
        (Some(row), result, asynchronous)
    }

    /// Runs a handler to its end; true if an interim response went out before.
    async fn drive(
        &mut self,
        mut running: Running,
        pending: &Pending,
        header: Header,
        shield: &Shield,
    ) -> (HandlerResult, bool) {
        let early = tokio::select! {
            biased;
            result = &mut running => Some(result),
            () = pending.waiting() => None,
            () = tokio::time::sleep(limits::INTERIM_AFTER) => None,
        };
        if let Some(result) = early {
            return (result, false);
        }
        // What it waits for may itself wait for an answer before it.
        self.flush();
        let asynchronous = self.connection.go_async(pending);
        if asynchronous {
            self.interim(header, shield);
        }
        (running.await, asynchronous)
    }

    /// The interim response, which is never signed ([MS-SMB2] 3.3.4.1.1).
    fn interim(&mut self, header: Header, shield: &Shield) {
        let mut response = header.response(NtStatus::PENDING);
        response.form = HeaderForm::Async { async_id: header.message_id };
        response.credits = self.connection.grant(header.credits);
        let shield = match shield {
            Shield::Signed(_) | Shield::Clear => Shield::Clear,
            Shield::Encrypted(security) => Shield::Encrypted(security.clone()),
        };
        let response =
            Answer { header: response, response: error(None), shield, about: None, gives: None };
        self.ready.push(response);
        self.flush();
    }

    /// Turns the handler's result into an answer, and hands on what the next request may use.
    fn answer(
        &mut self,
        row: Option<&'static Row>,
        request: Header,
        result: HandlerResult,
        asynchronous: bool,
        mut shield: Shield,
    ) {
        let mut gives = None;
        let (status, response, about) = match result {
            Ok(reply) => {
                gives = self.given_open(reply.given);
                self.hand_on(request.command, &reply);
                if let (Given::Session(id), NtStatus::SUCCESS) = (reply.given, reply.status) {
                    shield = self.shield_of_new_session(id, shield);
                }
                (reply.status, reply.response, reply.about)
            }
            Err(failure) => match self.explain(row, failure) {
                Some((status, data)) => {
                    self.note_failure(request.command, status);
                    debug!(peer = %self.connection.peer, opcode = %request.command, %status,
                        "request failed");
                    (status, error(data), None)
                }
                None => return,
            },
        };
        let mut header = request.response(status);
        let ids = self.handed.ids.unwrap_or(Ids { session: SessionId(0), tree: 0 });
        header.session_id = ids.session;
        header.form = match header.form {
            _ if asynchronous => HeaderForm::Async { async_id: request.message_id },
            HeaderForm::Sync { process_id, .. } => {
                HeaderForm::Sync { process_id, tree_id: ids.tree }
            }
            form @ HeaderForm::Async { .. } => form,
        };
        if !asynchronous {
            header.credits = self.connection.grant(request.credits);
        }
        if status.is_error() && matches!(shield, Shield::Clear) {
            // There is no key to sign with. Clients that signed take such an answer only if it
            // looks signed, and then do not check it.
            header.flags |= request.flags & HeaderFlags::SIGNED;
            header.signature = request.signature;
        }
        self.ready.push(Answer { header, response, shield, about, gives });
        if asynchronous {
            self.flush();
        }
    }

    fn hand_on(&mut self, opcode: Opcode, reply: &Reply) {
        if let Some(ids) = &mut self.handed.ids {
            match reply.given {
                Given::Session(session) => ids.session = session,
                Given::Tree(tree) => ids.tree = tree,
                Given::Open(file) => self.handed.file = Some(file),
                Given::Nothing => {}
            }
        }
        self.handed.failed = None;
        if reply.status.is_error() {
            self.note_failure(opcode, reply.status);
        }
    }

    fn note_failure(&mut self, opcode: Opcode, status: NtStatus) {
        match opcode {
            Opcode::TREE_CONNECT => self.handed.orphaned = true,
            // Only here: an open on which something failed is still there, and the CLOSE behind
            // has to end it.
            Opcode::CREATE => {
                self.handed.file = None;
                self.handed.failed = Some(status).filter(|status| status.is_error());
            }
            _ => {}
        }
    }

    /// The open of a file that a CREATE gives out.
    fn given_open(&self, given: Given) -> Option<Arc<LocalOpen>> {
        let Given::Open(file) = given else { return None };
        let ids = self.handed.ids?;
        match self.connection.session(ids.session)?.open(file.volatile)? {
            SessionOpen::File(open) => Some(open),
            SessionOpen::Pipe(_) => None,
        }
    }

    /// The status of a failure; none if the connection is closed instead.
    fn explain(&self, row: Option<&Row>, failure: Failure) -> Option<(NtStatus, Option<Bytes>)> {
        match failure {
            Failure::Status { status, data } => Some((status, data)),
            Failure::Disconnect(why) => {
                self.connection.close(why);
                None
            }
            Failure::Fenced => {
                self.node.storage_refuses();
                self.connection.close("the storage refuses this incarnation of the node");
                None
            }
            Failure::NotReady => match row.map(|row| row.not_ready) {
                Some(NotReady::Status(status)) => Some((status, None)),
                Some(NotReady::Disconnect) | None => {
                    self.connection.close("the cluster has no leader, or does not answer");
                    None
                }
            },
        }
    }

    /// The answer that completes a logon is signed with the new keys ([MS-SMB2] 3.3.5.5.3).
    fn shield_of_new_session(&self, id: SessionId, shield: Shield) -> Shield {
        match (shield, self.connection.session(id)) {
            (Shield::Clear, Some(session)) => Shield::Signed(session.security.clone()),
            (shield, _) => shield,
        }
    }

    /// Sends what is ready.
    fn flush(&mut self) {
        let answers = std::mem::take(&mut self.ready);
        if answers.is_empty() {
            return;
        }
        let first = answers.first().map(|answer| answer.header);
        let mut about = Vec::new();
        let mut gives = Vec::new();
        let mut shields = Vec::with_capacity(answers.len());
        let mut messages = Vec::with_capacity(answers.len());
        for answer in answers {
            about.extend(answer.about);
            gives.extend(answer.gives);
            shields.push(answer.shield);
            messages.push((answer.header, answer.response));
        }
        let outgoing = messages.into_iter().zip(&shields).map(|((header, response), shield)| {
            Outgoing { header, response, sealing: shield.sealing() }
        });
        let frames = seal(outgoing.collect());
        for pieces in frames {
            if let Some(header) = first {
                self.connection.note_response(&header, &pieces);
            }
            let frame = OutboundFrame { pieces, about: about.clone(), written: None };
            if self.connection.enqueue(frame).is_err() {
                return;
            }
        }
        // Breaks of their leases may go out from here on.
        for open in gives {
            open.answered.raise();
        }
    }
}

/// An answer is protected as its request was.
fn shield(connection: &Connection, request: &Inbound, sender: &Sender) -> Shield {
    match (request.protection, sender.security()) {
        (Protection::Encrypted(session), None) => match connection.security(session) {
            Some(security) => Shield::Encrypted(security),
            None => Shield::Clear,
        },
        (Protection::Encrypted(_), Some(security)) => Shield::Encrypted(security.clone()),
        (Protection::Clear, Some(security)) if sender.signed => Shield::Signed(security.clone()),
        (Protection::Clear, _) => Shield::Clear,
    }
}

fn error(data: Option<Bytes>) -> Response {
    let with_data = |data| ErrorResponse::with_data(data, true);
    Response::Error(data.map_or_else(ErrorResponse::default, with_data))
}
