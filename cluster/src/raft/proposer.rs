//! The leader's way into the log: stamps each entry with elapsed leader time, and proposes what
//! waits in one batch.
//!
//! Leader time is what this node's monotonic clock saw since the entry it stamped last, at most
//! [`LogTime::STEP_MAX_NANOS`] an entry; a new leader counts from its own election. A stamp whose
//! entry is lost is time that does not count: deadlines are lower bounds.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use openraft::errors::{ClientWriteError, Fatal};
use openraft::raft::WriteResult;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::Raft;
use super::log_health::LogHealth;
use super::network::MAX_COMMAND_BYTES;
use super::type_config::{CommandBytes, TypeConfig};
use crate::encoding;
use crate::log_time::LogTime;
use crate::ports::Clock;
use crate::state::Entry;

/// Entries proposed at one time.
const BATCH_MAX: usize = 256;
/// Entries that may wait to be proposed.
const QUEUE_MAX: usize = 16 * 1024;

/// What became of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proposed {
    /// Committed, and applied on the leader, at this index.
    Committed(u64),
    /// Not taken, or lost, or nobody knows. `leader`: who seems to lead.
    NotTaken { leader: Option<u64> },
}

/// Proposes entries while this node leads.
pub struct Proposer {
    queue: mpsc::Sender<Proposal>,
    stopwatch: Arc<Mutex<Stopwatch>>,
    clock: Arc<dyn Clock>,
}

struct Proposal {
    entry: Entry,
    answer: oneshot::Sender<Proposed>,
}

/// The proposer's task.
pub struct Stamping {
    raft: Raft,
    log: Arc<LogHealth>,
    proposals: mpsc::Receiver<Proposal>,
    stopwatch: Arc<Mutex<Stopwatch>>,
    clock: Arc<dyn Clock>,
}

impl Proposer {
    /// A proposer, and the task that must be driven.
    pub fn new(raft: Raft, log: Arc<LogHealth>, clock: Arc<dyn Clock>) -> (Proposer, Stamping) {
        let (queue, proposals) = mpsc::channel(QUEUE_MAX);
        let stopwatch = Arc::new(Mutex::new(Stopwatch::default()));
        let stamping =
            Stamping { raft, log, proposals, stopwatch: stopwatch.clone(), clock: clock.clone() };
        (Proposer { queue, stopwatch, clock }, stamping)
    }

    /// Notes that this node leads in `term`: the new leader's time begins.
    pub fn note_leading(&self, term: u64) {
        self.stopwatch.lock().begin(term, self.clock.boot());
    }

    /// Proposes an entry as it came, if this node leads and the entry can be decoded: an entry
    /// that cannot would halt every node.
    pub async fn propose_encoded(&self, bytes: &[u8]) -> Proposed {
        if bytes.len() > MAX_COMMAND_BYTES {
            return Proposed::NotTaken { leader: None };
        }
        match encoding::decode_entry(bytes) {
            Ok(entry) => self.propose(entry).await,
            Err(error) => {
                tracing::warn!(%error, "refused to propose what cannot be decoded");
                Proposed::NotTaken { leader: None }
            }
        }
    }

    /// Proposes an entry, if this node leads.
    pub async fn propose(&self, entry: Entry) -> Proposed {
        let (answer, proposed) = oneshot::channel();
        if self.queue.try_send(Proposal { entry, answer }).is_err() {
            return Proposed::NotTaken { leader: None };
        }
        proposed.await.unwrap_or(Proposed::NotTaken { leader: None })
    }
}

impl Stamping {
    /// Proposes what comes, until the node closes.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while self.proposals.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let (proposals, too_much): (Vec<_>, Vec<_>) =
                batch.drain(..).partition(|proposal| self.log.lets_pass(&proposal.entry.command));
            match self.raft.as_leader() {
                Ok(leader) => {
                    // Whoever asked goes on asking until there is room, or another leader.
                    refuse(too_much, None);
                    self.propose(leader.term(), proposals).await;
                }
                Err(forward) => {
                    refuse(too_much, forward.leader_id);
                    refuse(proposals, forward.leader_id);
                }
            }
        }
    }

    async fn propose(&self, term: u64, proposals: Vec<Proposal>) {
        if proposals.is_empty() {
            return;
        }
        let mut commands = Vec::with_capacity(proposals.len());
        let mut answers = Vec::with_capacity(proposals.len());
        for Proposal { mut entry, answer } in proposals {
            entry.elapsed_nanos = self.stopwatch.lock().lap(term, self.clock.boot());
            commands.push(CommandBytes(encoding::encode_entry(&entry)));
            answers.push(answer);
        }
        match self.raft.client_write_many(commands).await {
            Ok(results) => {
                tokio::spawn(pass_on(results, answers));
            }
            Err(fatal) => {
                tracing::error!(%fatal, "Raft has stopped");
                for answer in answers {
                    let _ = answer.send(Proposed::NotTaken { leader: None });
                }
            }
        }
    }
}

type WriteResults = BoxStream<'static, Result<WriteResult<TypeConfig>, Fatal<TypeConfig>>>;

/// Hands each result to whoever proposed it; they come in order.
async fn pass_on(mut results: WriteResults, answers: Vec<oneshot::Sender<Proposed>>) {
    for answer in answers {
        let proposed = match results.next().await {
            Some(Ok(Ok(written))) => Proposed::Committed(written.log_id.index()),
            Some(Ok(Err(error))) => {
                tracing::debug!(%error, "a proposal was not taken");
                Proposed::NotTaken { leader: leader_of(&error) }
            }
            Some(Err(_)) | None => Proposed::NotTaken { leader: None },
        };
        // The proposer may have given up waiting.
        let _ = answer.send(proposed);
    }
}

fn leader_of(error: &ClientWriteError<TypeConfig>) -> Option<u64> {
    match error {
        ClientWriteError::ForwardToLeader(forward)
        | ClientWriteError::LogEntryDiscarded(forward) => forward.leader_id,
        _ => None,
    }
}

fn refuse(proposals: Vec<Proposal>, leader: Option<u64>) {
    for proposal in proposals {
        let _ = proposal.answer.send(Proposed::NotTaken { leader });
    }
}

/// Measures leader time.
#[derive(Default)]
struct Stopwatch {
    term: u64,
    last: Duration,
}

impl Stopwatch {
    fn begin(&mut self, term: u64, now: Duration) {
        if self.term != term {
            self.term = term;
            self.last = now;
        }
    }

    fn lap(&mut self, term: u64, now: Duration) -> u64 {
        self.begin(term, now);
        let elapsed = now.saturating_sub(self.last).as_nanos();
        self.last = self.last.max(now);
        u64::try_from(elapsed).unwrap_or(u64::MAX).min(LogTime::STEP_MAX_NANOS)
    }
}

#[cfg(test)]
mod tests {
    use super::Stopwatch;
    use crate::log_time::LogTime;
    use std::time::Duration;

    #[test]
    fn a_new_term_begins_at_zero_and_no_step_is_too_large() {
        let at = Duration::from_millis;
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.lap(1, at(1000)), 0);
        assert_eq!(stopwatch.lap(1, at(1010)), 10_000_000);
        assert_eq!(stopwatch.lap(1, at(9000)), LogTime::STEP_MAX_NANOS);
        assert_eq!(stopwatch.lap(1, at(8000)), 0);
        assert_eq!(stopwatch.lap(1, at(9001)), 1_000_000);
        assert_eq!(stopwatch.lap(3, at(9400)), 0);
    }
}
