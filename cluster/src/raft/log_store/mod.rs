//! Raft's log on the write-ahead log of [`crate::wal`].
//!
//! Invariants that Raft relies on:
//! - an appended entry can be read when `append` returns, and its callback is called once it is
//!   durable, or with the reason for which it never will be;
//! - a vote is durable when `save_vote` returns;
//! - all writes reach the disk in the order of their calls;
//! - the commit mark costs no sync of its own: it follows its entries with the next write.
//!
//! After a failed write or sync every call fails, Raft stops, and the process must end:
//! [`LogStore::failed`].

mod stored_entry;

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use futures::Stream;
use futures::stream::{self, BoxStream, StreamExt};
use openraft::OptionalSend;
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};

use super::type_config::{CommittedLeaderId, Entry, LogId, TypeConfig, Vote};
use crate::disk::Disk;
use crate::wal::{LogEntry, Position, VoteMark, Wal, WalConfig, WalError, WalIdentity};

pub use stored_entry::BadEntry;

/// How many bytes of entries are read at once where a part is enough.
const READ_BYTES: usize = 1 << 20;

/// Raft's log and its readers. Clones are the same log.
#[derive(Clone)]
pub struct LogStore {
    wal: Wal,
}

impl LogStore {
    /// Begins a node's log in an empty directory: once in a node's life.
    ///
    /// # Errors
    /// `NotEmpty` if anything is there, `Io`.
    pub async fn create(disk: Arc<dyn Disk>, identity: WalIdentity) -> Result<(), WalError> {
        Wal::create(disk, identity).await
    }

    /// Opens a node's log.
    ///
    /// # Errors
    /// See [`Wal::open`]; an empty directory or another node's log is refused.
    pub async fn open(
        disk: Arc<dyn Disk>,
        identity: WalIdentity,
        config: WalConfig,
    ) -> Result<LogStore, WalError> {
        Ok(Self { wal: Wal::open(disk, identity, config).await? })
    }

    /// The log beneath.
    pub fn wal(&self) -> &Wal {
        &self.wal
    }

    /// Resolves when the log has failed for good; the process must end then.
    pub async fn failed(&self) -> WalError {
        self.wal.failed().await
    }

    async fn read(&self, from: u64, to: u64, limit: usize) -> io::Result<Vec<Entry>> {
        let stored = self.wal.read(from, to, limit).await?;
        stored.into_iter().map(|entry| Ok(stored_entry::from_stored(entry)?)).collect()
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let (from, to) = half_open(&range);
        self.read(from, to, usize::MAX).await
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, io::Error> {
        self.read(start, end, READ_BYTES).await
    }

    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let (from, to) = half_open(&range);
        stream_of(self.clone(), from, to)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.wal.state().vote.map(|vote| Vote {
            leader_id: openraft::vote::RaftLeaderId::new(vote.term, vote.node),
            committed: vote.committed,
        }))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let state = self.wal.state();
        Ok(LogState {
            last_purged_log_id: state.purged.map(log_id),
            last_log_id: state.last.map(log_id),
        })
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let Vote { leader_id, committed } = *vote;
        let mark = VoteMark { term: leader_id.term, node: leader_id.voted_for, committed };
        Ok(self.wal.save_vote(mark).await?)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        if let Some(committed) = committed {
            self.wal.note_committed(position(&committed));
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.wal.state().committed.map(log_id))
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: IOFlushed<TypeConfig>,
    ) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let stored: Vec<LogEntry> =
            entries.into_iter().map(|entry| stored_entry::to_stored(&entry)).collect();
        let done = Box::new(move |outcome: Result<(), WalError>| {
            callback.io_completed(outcome.map_err(io::Error::from));
        });
        Ok(self.wal.append(stored, done).await?)
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        let first = last_log_id.map_or(0, |last| last.index + 1);
        Ok(self.wal.truncate_from(first).await?)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        Ok(self.wal.purge(position(&log_id)).await?)
    }
}

/// Entries in pieces, so that replaying a long log does not need it in memory twice.
fn stream_of(store: LogStore, from: u64, to: u64) -> BoxStream<'static, io::Result<Entry>> {
    let pieces = stream::unfold(Some(from), move |next| {
        let store = store.clone();
        async move {
            let piece = store.read(next?, to, READ_BYTES).await;
            match piece {
                Ok(entries) => {
                    let last = entries.last()?.index();
                    let items: Vec<_> = entries.into_iter().map(Ok).collect();
                    Some((stream::iter(items), Some(last + 1)))
                }
                Err(error) => Some((stream::iter(vec![Err(error)]), None)),
            }
        }
    });
    pieces.flatten().boxed()
}

/// A range as its first index and the one behind its last.
fn half_open(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let from = match range.start_bound() {
        Bound::Included(&from) => from,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&to) => to,
        Bound::Unbounded => u64::MAX,
    };
    (from, to)
}

fn log_id(position: Position) -> LogId {
    LogId { leader_id: CommittedLeaderId::new(position.term), index: position.index }
}

fn position(log_id: &LogId) -> Position {
    Position { term: log_id.leader_id.term, index: log_id.index }
}

#[cfg(all(test, not(madsim)))]
mod tests;
