//! A request that was let in, on its way to its handler: the adaptors that decode it and turn
//! its FileId into the open.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_cluster::command::OpenRef;
use holdfast_proto::NtStatus;
use holdfast_proto::header::Header;
use holdfast_proto::msg::{FileId, IoctlRequest, Message};

use super::{
    ConnectionContext, Failure, HandlerResult, OnOpen, Pending, PipeContext, RequestContext,
    RequestInfo, SessionContext,
};
use crate::connection::Connection;
use crate::core::Misuse;
use crate::limits;
use crate::node::Node;
use crate::pipes::PipeOpen;
use crate::session::{Counted, LocalOpen, Session, SessionOpen, TreeConnect};

/// A request with everything that its opcode needs.
#[derive(Debug)]
pub struct Call {
    pub node: Arc<Node>,
    pub connection: Arc<Connection>,
    pub info: RequestInfo,
    pub pending: Arc<Pending>,
    pub session: Option<Arc<Session>>,
    pub tree: Option<TreeConnect>,
    pub header: Header,
    pub message: Bytes,
    /// For related requests: the open of the request before.
    pub related_file: Option<FileId>,
}

/// The running handler.
pub type Running = Pin<Box<dyn Future<Output = HandlerResult> + Send>>;

/// A handler that was started.
pub struct Started {
    /// The open that the request named: what related requests behind it use.
    pub file: Option<FileId>,
    pub running: Running,
}

/// What a handler is started with: an open of a file, or a pipe.
enum Target {
    File(RequestContext, Arc<LocalOpen>),
    Pipe(PipeContext, Arc<PipeOpen>),
}

impl Started {
    fn new(running: impl Future<Output = HandlerResult> + Send + 'static) -> Started {
        Started { file: None, running: Box::pin(running) }
    }
}

impl Call {
    /// For opcodes of the connection.
    pub fn on_connection<R, F, Fut>(self, handler: F) -> Result<Started, Failure>
    where
        R: Message,
        F: FnOnce(ConnectionContext, R) -> Fut,
        Fut: Future<Output = HandlerResult> + Send + 'static,
    {
        let request = self.decode()?;
        let context = ConnectionContext {
            node: self.node,
            connection: self.connection,
            info: self.info,
            session_id: self.header.session_id,
            session: self.session,
            message: self.message,
        };
        Ok(Started::new(handler(context, request)))
    }

    /// For opcodes of a session.
    pub fn on_session<R, F, Fut>(self, handler: F) -> Result<Started, Failure>
    where
        R: Message,
        F: FnOnce(SessionContext, R) -> Fut,
        Fut: Future<Output = HandlerResult> + Send + 'static,
    {
        let request = self.decode()?;
        let session = self.session.ok_or(NtStatus::USER_SESSION_DELETED)?;
        let context = SessionContext {
            node: self.node,
            connection: self.connection,
            info: self.info,
            pending: self.pending,
            session,
        };
        Ok(Started::new(handler(context, request)))
    }

    /// For opcodes of a tree connect of either kind.
    pub fn on_tree<R, F, Fut, P, PFut>(self, handler: F, pipe: P) -> Result<Started, Failure>
    where
        R: Message,
        F: FnOnce(RequestContext, R) -> Fut,
        Fut: Future<Output = HandlerResult> + Send + 'static,
        P: FnOnce(PipeContext, R) -> PFut,
        PFut: Future<Output = HandlerResult> + Send + 'static,
    {
        let request = self.decode()?;
        Ok(match self.tree_context()? {
            Either::Disk(context) => Started::new(handler(context, request)),
            Either::Ipc(context) => Started::new(pipe(context, request)),
        })
    }

    /// For opcodes with a FileId.
    pub fn on_open<R, F, Fut, P, PFut>(self, handler: F, pipe: P) -> Result<Started, Failure>
    where
        R: OnOpen,
        F: FnOnce(RequestContext, Arc<LocalOpen>, R) -> Fut,
        Fut: Future<Output = HandlerResult> + Send + 'static,
        P: FnOnce(PipeContext, Arc<PipeOpen>, R) -> PFut,
        PFut: Future<Output = HandlerResult> + Send + 'static,
    {
        let request: R = self.decode()?;
        self.check_payload(request.payload())?;
        let file = self.file_id(request.file_id())?;
        let info = self.info;
        let running: Running = match self.target(file)? {
            Target::File(context, open) => {
                let counted = count_in(&open, info, R::CHANGES)?;
                let running = handler(context, open.clone(), request);
                Box::pin(count_out(open, counted, running))
            }
            Target::Pipe(context, open) => Box::pin(pipe(context, open, request)),
        };
        Ok(Started { file: Some(file), running })
    }

    /// IOCTL, some of whose controls name no open.
    pub fn on_ioctl<F, Fut, P, PFut>(self, handler: F, pipe: P) -> Result<Started, Failure>
    where
        F: FnOnce(RequestContext, Option<Arc<LocalOpen>>, IoctlRequest) -> Fut,
        Fut: Future<Output = HandlerResult> + Send + 'static,
        P: FnOnce(PipeContext, Option<Arc<PipeOpen>>, IoctlRequest) -> PFut,
        PFut: Future<Output = HandlerResult> + Send + 'static,
    {
        let request: IoctlRequest = self.decode()?;
        self.check_payload(request.payload())?;
        if request.file_id == FileId::ANY && self.related_file.is_none() {
            return Ok(match self.tree_context()? {
                Either::Disk(context) => Started::new(handler(context, None, request)),
                Either::Ipc(context) => Started::new(pipe(context, None, request)),
            });
        }
        let file = self.file_id(request.file_id)?;
        let info = self.info;
        let running: Running = match self.target(file)? {
            Target::File(context, open) => {
                let counted = count_in(&open, info, IoctlRequest::CHANGES)?;
                let running = handler(context, Some(open.clone()), request);
                Box::pin(count_out(open, counted, running))
            }
            Target::Pipe(context, open) => Box::pin(pipe(context, Some(open), request)),
        };
        Ok(Started { file: Some(file), running })
    }

    fn decode<R: Message>(&self) -> Result<R, Failure> {
        R::decode(&self.message).map_err(|error| {
            self.connection.note_misuse(self.header.command, Misuse::Malformed(error));
            NtStatus::INVALID_PARAMETER.into()
        })
    }

    /// 3.3.5.2.5: the CreditCharge pays for the larger of both directions.
    fn check_payload(&self, payload: u64) -> Result<(), Failure> {
        let charge = u64::from(self.header.credit_charge.max(1));
        let paid = charge * u64::from(limits::CREDIT_UNIT);
        if payload > paid || payload > u64::from(limits::MAX_IO_SIZE) {
            self.connection.note_misuse(self.header.command, Misuse::Underpaid);
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        Ok(())
    }

    /// 3.3.5.2.7.2: a related request may leave the FileId to the one before it.
    fn file_id(&self, named: FileId) -> Result<FileId, Failure> {
        if self.info.related && named == FileId::ANY {
            return self.related_file.ok_or_else(|| NtStatus::INVALID_HANDLE.into());
        }
        Ok(named)
    }

    fn target(self, file: FileId) -> Result<Target, Failure> {
        let session = self.session.as_ref().ok_or(NtStatus::USER_SESSION_DELETED)?;
        let open = session.open(file.volatile).ok_or(NtStatus::FILE_CLOSED)?;
        match (open, self.tree_context()?) {
            (SessionOpen::File(open), Either::Disk(context))
                if open.open.open.0 == file.persistent && open.tree == context.tree.id =>
            {
                Ok(Target::File(context, open))
            }
            (SessionOpen::Pipe(open), Either::Ipc(context))
                if open.persistent.0 == file.persistent && open.tree == context.tree =>
            {
                Ok(Target::Pipe(context, open))
            }
            (SessionOpen::File(_) | SessionOpen::Pipe(_), Either::Disk(_) | Either::Ipc(_)) => {
                Err(NtStatus::FILE_CLOSED.into())
            }
        }
    }

    fn tree_context(self) -> Result<Either, Failure> {
        let session = self.session.ok_or(NtStatus::USER_SESSION_DELETED)?;
        let (node, connection) = (self.node, self.connection);
        let (info, pending) = (self.info, self.pending);
        Ok(match self.tree.ok_or(NtStatus::NETWORK_NAME_DELETED)? {
            TreeConnect::Disk(tree) => {
                Either::Disk(RequestContext { node, connection, info, pending, session, tree })
            }
            TreeConnect::Ipc(tree) => {
                Either::Ipc(PipeContext { node, connection, info, pending, session, tree })
            }
        })
    }
}

/// The context of either kind of tree connect.
enum Either {
    Disk(RequestContext),
    Ipc(PipeContext),
}

fn count_in(
    open: &LocalOpen,
    info: RequestInfo,
    changes: bool,
) -> Result<Option<Counted>, Failure> {
    let entered = open.gauges.lock().enter(info.channel_sequence, info.replay, changes);
    entered.map_err(|_| NtStatus::FILE_NOT_AVAILABLE.into())
}

/// Runs the handler and takes its request off the open's gauge. The answer is about the open,
/// unless the handler has closed it.
async fn count_out(
    open: Arc<LocalOpen>,
    counted: Option<Counted>,
    running: impl Future<Output = HandlerResult> + Send,
) -> HandlerResult {
    let result = running.await;
    if let Some(counted) = counted {
        open.gauges.lock().leave(counted);
    }
    result
}

/// Where the open that an answer is about is found, after the call was given away.
pub(super) struct Naming(Option<Arc<Session>>);

impl Naming {
    pub(super) fn new(call: &Call) -> Naming {
        Naming(call.session.clone())
    }

    /// The open of that FileId, unless it is a pipe.
    pub(super) fn about(&self, file: Option<FileId>) -> Option<OpenRef> {
        match self.0.as_ref()?.open(file?.volatile)? {
            SessionOpen::File(open) => Some(open.open),
            SessionOpen::Pipe(_) => None,
        }
    }
}
