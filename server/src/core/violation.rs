//! Why a connection is closed: what its peer did that no status answers.

use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::SessionId;
use holdfast_proto::wire::DecodeError;

/// The peer broke the protocol in a way that ends the connection. Says what happened, never what
/// was in the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    #[error("a frame is malformed: {0}")]
    Malformed(#[from] DecodeError),
    #[error("a frame is neither SMB2 nor anything that leads to it")]
    NotSmb2,
    #[error("a compressed frame came, and no compression was negotiated")]
    Compressed,
    #[error("a response came from the client")]
    Response,
    #[error("{0} of {1} bytes is too long")]
    TooLong(Opcode, usize),
    #[error("{0} came before a dialect was negotiated")]
    NotNegotiated(Opcode),
    #[error("a second NEGOTIATE")]
    NegotiatedTwice,
    #[error("NEGOTIATE or SESSION_SETUP is part of a compound")]
    SetupInCompound,
    #[error("message ids from {id}, {charge} of them, were not granted or have been used")]
    MessageId { id: u64, charge: u16 },
    #[error("an encrypted frame names session {0}, which cannot decrypt it here")]
    UnknownSession(SessionId),
    #[error("an encrypted frame of session {0} does not authenticate")]
    Undecryptable(SessionId),
    #[error("an encrypted frame of session {0} holds a message of another session")]
    ForeignMessage(SessionId),
    #[error("an encrypted frame of session {0} begins with a related message")]
    RelatedFirst(SessionId),
    #[error("the signature of a message of session {0} is wrong")]
    Signature(SessionId),
    #[error("TREE_CONNECT of session {0} is neither signed nor encrypted")]
    UnprotectedTreeConnect(SessionId),
}
