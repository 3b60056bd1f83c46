//! Why a question to another node has no answer.

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no stream, and another attempt is not due yet.
    #[error("node {0} cannot be reached: {1}")]
    Unreachable(u64, String),
    /// The stream broke after the question was sent.
    #[error("the stream to node {0} broke")]
    Broken(u64),
    /// No answer in time.
    #[error("node {0} did not answer in time")]
    TimedOut(u64),
    /// The other node could not carry it out.
    #[error("node {0}: {1}")]
    Failed(u64, String),
    /// The answer is of another kind than the question.
    #[error("node {0} gave an answer of the wrong kind")]
    Mismatch(u64),
}
