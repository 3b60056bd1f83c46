//! What the handle asks of the flusher.

use super::{LogEntry, Position, VoteMark, WalError};

/// Called once, when what it stands for is durable or never will be.
pub type Completion = Box<dyn FnOnce(Result<(), WalError>) + Send>;

/// A completion that nobody waits for: a failure reaches everyone through the log's final failure.
pub(super) fn nobody() -> Completion {
    Box::new(|_| {})
}

/// A change of the log.
pub(super) enum Operation {
    Entries(Vec<LogEntry>),
    Vote(VoteMark),
    Truncate { first: u64 },
    Purge(Position),
    Close,
}

impl Operation {
    /// About how many bytes it adds to a group.
    pub(super) fn weight(&self) -> usize {
        match self {
            Operation::Entries(entries) => entries.iter().map(|e| e.body.len() + 40).sum(),
            _ => 40,
        }
    }
}

/// An operation in the flusher's queue.
pub(super) struct Request {
    pub(super) operation: Operation,
    /// Its place in the order of all requests, from 1.
    pub(super) number: u64,
    pub(super) done: Completion,
}
