//! How a handler answers.

use bytes::Bytes;
use holdfast_cluster::outcome::Refusal;
use holdfast_proto::NtStatus;
use holdfast_proto::wire::Encoded;

use crate::ports::SubmitError;
use crate::status;
use crate::vfs::VfsError;

/// An answer that carries the response of its opcode.
#[derive(Debug)]
pub struct Reply {
    /// SUCCESS, or a remark such as BUFFER_OVERFLOW or MORE_PROCESSING_REQUIRED.
    pub status: NtStatus,
    /// The encoded response. Its first 64 bytes are room for the header, which is filled in
    /// later.
    pub message: Encoded,
    /// FileId.Volatile of the open that a CREATE gave out: what related requests behind it use.
    pub created: Option<u64>,
}

impl Reply {
    /// SUCCESS with this response.
    pub fn success(message: Encoded) -> Reply {
        Reply { status: NtStatus::SUCCESS, message, created: None }
    }

    /// The same response with another status.
    pub fn with_status(self, status: NtStatus) -> Reply {
        Reply { status, ..self }
    }

    /// Names the open that was given out.
    pub fn with_created(self, volatile: u64) -> Reply {
        Reply { created: Some(volatile), ..self }
    }
}

/// Why there is no response of the opcode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// An error response ([MS-SMB2] 2.2.2) with this status and ErrorData.
    Status { status: NtStatus, data: Bytes },
    /// The cluster has no leader, or has not answered: what the client is told depends on the
    /// opcode (DESIGN: not ready).
    NotReady,
    /// No answer at all: the connection is closed.
    Disconnect(&'static str),
}

/// What every handler returns.
pub type HandlerResult = Result<Reply, Failure>;

impl Failure {
    /// A status with ErrorData: BUFFER_TOO_SMALL, STOPPED_ON_SYMLINK.
    pub fn with_data(status: NtStatus, data: impl Into<Bytes>) -> Failure {
        Failure::Status { status, data: data.into() }
    }
}

impl From<NtStatus> for Failure {
    fn from(status: NtStatus) -> Failure {
        Failure::Status { status, data: Bytes::new() }
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
            VfsError::Unavailable | VfsError::Fenced => Failure::NotReady,
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
