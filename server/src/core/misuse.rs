//! Why a request is refused that whoever looks after the server should hear of.

use holdfast_proto::wire::DecodeError;

/// What a client did that a status answers, and that one which means well and works hardly does.
/// Says what happened, never what was in the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Misuse {
    #[error("it is malformed: {0}")]
    Malformed(DecodeError),
    #[error("it is not signed")]
    Unsigned,
    #[error("it is not encrypted, and its session demands that")]
    UnencryptedForSession,
    #[error("it is not encrypted, and its share demands that")]
    UnencryptedForShare,
    #[error("it is for a session that this connection does not have")]
    UnknownSession,
    #[error("it is a NEGOTIATE and signed, before there is a key")]
    SignedNegotiate,
    #[error("its credits do not pay for what it brings or asks for")]
    Underpaid,
    #[error("it is a CANCEL and neither signed nor encrypted")]
    UnprotectedCancel,
}

impl Misuse {
    /// A bit for each kind, whatever the details: a connection notes which it has seen.
    pub fn bit(self) -> u32 {
        match self {
            Misuse::Malformed(_) => 1,
            Misuse::Unsigned => 1 << 1,
            Misuse::UnencryptedForSession => 1 << 2,
            Misuse::UnencryptedForShare => 1 << 3,
            Misuse::UnknownSession => 1 << 4,
            Misuse::SignedNegotiate => 1 << 5,
            Misuse::Underpaid => 1 << 6,
            Misuse::UnprotectedCancel => 1 << 7,
        }
    }
}
