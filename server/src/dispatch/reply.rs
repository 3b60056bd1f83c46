//! How a handler answers.

use bytes::Bytes;
use holdfast_cluster::command::OpenRef;
use holdfast_cluster::outcome::Refusal;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::{FileId, Response};
use holdfast_proto::types::SessionId;

use crate::gate::GateError;
use crate::ports::SubmitError;
use crate::status;
use crate::vfs::VfsError;

/// What a response gives out that its header, or related requests behind it, have to name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Given {
    #[default]
    Nothing,
    /// SESSION_SETUP: the session, also while it is being set up.
    Session(SessionId),
    /// TREE_CONNECT: the tree connect.
    Tree(u32),
    /// CREATE: the open.
    Open(FileId),
}

/// An answer that carries the response of its opcode.
#[derive(Clone, Debug)]
pub struct Reply {
    /// SUCCESS, or a remark such as BUFFER_OVERFLOW or MORE_PROCESSING_REQUIRED.
    pub status: NtStatus,
    pub response: Response,
    pub given: Given,
    /// The open that the answer is about: it is not handed to the kernel if the open is this
    /// node's no more by then. Set by the dispatcher for requests on an open; a CREATE says it
    /// itself.
    pub about: Option<OpenRef>,
}

impl Reply {
    /// SUCCESS with this response.
    pub fn success(response: impl Into<Response>) -> Reply {
        Reply {
            status: NtStatus::SUCCESS,
            response: response.into(),
            given: Given::Nothing,
            about: None,
        }
    }

    /// The same response with another status.
    pub fn with_status(self, status: NtStatus) -> Reply {
        Reply { status, ..self }
    }

    /// Names what was given out.
    pub fn giving(self, given: Given) -> Reply {
        Reply { given, ..self }
    }

    /// Names the open that the answer is about.
    pub fn about(self, open: OpenRef) -> Reply {
        Reply { about: Some(open), ..self }
    }
}

/// Why there is no response of the opcode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// An error response ([MS-SMB2] 2.2.2) with this status and, if there is any, ErrorData, which
    /// may be empty.
    Status { status: NtStatus, data: Option<Bytes> },
    /// The cluster has no leader, or has not answered: what the client is told depends on the
    /// opcode.
    NotReady,
    /// The storage takes nothing from this incarnation any more: a fencer has acted, whatever the
    /// log says yet.
    Fenced,
    /// No answer at all: the connection is closed.
    Disconnect(&'static str),
}

/// What every handler returns.
pub type HandlerResult = Result<Reply, Failure>;

impl Failure {
    /// A status with ErrorData: BUFFER_TOO_SMALL.
    pub fn with_data(status: NtStatus, data: impl Into<Bytes>) -> Failure {
        Failure::Status { status, data: Some(data.into()) }
    }

    /// QUERY_INFO's INFO_LENGTH_MISMATCH, whose ErrorData is there and empty ([MS-SMB2]
    /// 3.3.5.20.1, 3.3.5.20.2).
    pub fn info_length_mismatch() -> Failure {
        Failure::with_data(NtStatus::INFO_LENGTH_MISMATCH, Bytes::new())
    }
}

impl From<NtStatus> for Failure {
    fn from(status: NtStatus) -> Failure {
        Failure::Status { status, data: None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        match refusal {
            Refusal::NodeGone => Failure::NotReady,
            other => status::of_refusal(other).into(),
        }
    }
}

impl From<&VfsError> for Failure {
    fn from(error: &VfsError) -> Failure {
        match error {
            VfsError::Unavailable => Failure::NotReady,
            VfsError::Fenced => Failure::Fenced,
            other => status::of_vfs(other).into(),
        }
    }
}

impl From<VfsError> for Failure {
    fn from(error: VfsError) -> Failure {
        Failure::from(&error)
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Failure {
        match error {
            SubmitError::Unknown => Failure::NotReady,
            SubmitError::Ended => Failure::Disconnect("this incarnation of the node has ended"),
        }
    }
}

impl From<GateError> for Failure {
    fn from(error: GateError) -> Failure {
        match error {
            GateError::Locked => NtStatus::FILE_LOCK_CONFLICT.into(),
            GateError::Closed => NtStatus::FILE_CLOSED.into(),
            // Taken over under the request: whoever owns it now answers.
            GateError::Lost => Failure::Disconnect("the open is served elsewhere by now"),
            GateError::Ended => Failure::Disconnect("this incarnation of the node has ended"),
            // Handled where operations enter; here it means that the leases never stay broken.
            GateError::MustBreak => NtStatus::FILE_NOT_AVAILABLE.into(),
        }
    }
}
