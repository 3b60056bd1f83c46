//! The segmented write-ahead log that holds Raft's entries, votes and marks.
//!
//! A log is a directory of segments. Everything that happens is an append to the last one: entries,
//! votes, truncations, purges and commit marks are all records, so replaying the segments in order
//! gives the state. Records are written in groups, each with one write and one sync, by a single
//! flusher: a thread of its own over a real disk, a task in the simulator.
//!
//! Invariants:
//! - what was reported as durable is in the log after any power cut, or opening says `Corrupt`;
//! - at most one group is not synced at any time, and each record tells where its group begins. So
//!   at recovery a bad record with only records of its own group behind it is the torn tail of a
//!   write that was never reported, and is cut; with a record of a later group behind it, it is
//!   damage to something durable, and is never cut;
//! - files are changed in no other way than by appending, except for that cut;
//! - a segment other than the last has no bad record, and its successor exists only once it is synced;
//! - a new segment begins with vote, purge mark and commit mark, so older segments matter for their
//!   entries only and may go once those are purged;
//! - a write or sync that failed is final: the log refuses everything from then on, and the process
//!   must end, for nobody can know what the disk holds (see [`Wal::failed`]). The one exception is
//!   a write that found no room: it was never synced and is tried again (see [`Wal::space`]);
//! - a directory is bound to one node of one cluster: every segment names both, `create` is explicit,
//!   and a foreign or empty directory is refused.
//!
//! Assumed of the disk: writing a part of a sector does not damage the rest of it, for a group begins
//! where the last one ended, usually within a sector. And one thing cannot be told from a torn tail:
//! decay within the very last group, before anything was written behind it.
//!
//! Sizes are in bytes. The log is bounded by purging: segments whose entries are all purged go.

mod error;
mod flusher;
mod index;
mod operation;
mod record;
mod recovery;
mod reserve;
mod segment;
mod space;
mod writer;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

pub use error::WalError;
pub use operation::Completion;
pub use record::MAX_BODY;
pub use space::Space;

use crate::disk::Disk;
use flusher::Shared;
use index::{LogIndex, SlotBody};
use operation::{Operation, Request};

/// Which node of which cluster a log belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalIdentity {
    /// The cluster's id, drawn once when the cluster is begun.
    pub cluster: [u8; 16],
    /// The node's number in the cluster.
    pub node: u64,
}

impl fmt::Display for WalIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} of cluster {:032x}", self.node, u128::from_be_bytes(self.cluster))
    }
}

/// Sizes of a log. They may change from one open to the next.
#[derive(Clone, Copy, Debug)]
pub struct WalConfig {
    /// Size at which a segment is full and the next is begun. A segment may exceed it by one group.
    pub segment_bytes: u64,
    /// How many bytes of entry bodies are kept in memory; older ones are read back from the disk.
    pub cache_bytes: usize,
    /// Size at which a group takes no further requests. A group may exceed it by one request.
    pub group_bytes: usize,
    /// How many requests may wait for the flusher before callers wait.
    pub queue: usize,
    /// Room that is set aside for when the disk is full; 0 for none. Should hold a group at least.
    pub reserve_bytes: u64,
    /// The log counts as low on space while its disk has less left than this.
    pub low_bytes: u64,
}

impl Default for WalConfig {
    fn default() -> Self {
        // The simulator's disks are in memory, many at once.
        let (segment_bytes, reserve_bytes, low_bytes) = if cfg!(madsim) {
            (256 << 10, 64 << 10, 128 << 10)
        } else {
            (64 << 20, 8 << 20, 64 << 20)
        };
        Self {
            segment_bytes,
            cache_bytes: 64 << 20,
            group_bytes: 4 << 20,
            queue: 1024,
            reserve_bytes,
            low_bytes,
        }
    }
}

/// The name of an entry: two entries with the same are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The term of the leader that proposed it.
    pub term: u64,
    /// Its place in the log.
    pub index: u64,
}

/// One entry. The log does not look into the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its name.
    pub position: Position,
    /// At most [`MAX_BODY`] bytes.
    pub body: Bytes,
}

/// A vote that this node gave, or the leadership that a quorum confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteMark {
    /// The term voted in.
    pub term: u64,
    /// The node voted for.
    pub node: u64,
    /// Whether a quorum gave the same vote.
    pub committed: bool,
}

/// What a log holds, without the entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalState {
    /// The last vote.
    pub vote: Option<VoteMark>,
    /// The last commit mark: some entry known to be committed, not necessarily the newest such.
    pub committed: Option<Position>,
    /// The last entry that was purged.
    pub purged: Option<Position>,
    /// The last entry, or the purge mark if there is none.
    pub last: Option<Position>,
}

/// An open log. Clones are the same log.
#[derive(Clone)]
pub struct Wal {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Request>,
    low_bytes: u64,
}

/// How far the log's writing has come, in requests since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Made so far.
    pub requested: u64,
    /// Of these, from the first on, durable or failed.
    pub settled: u64,
}

impl Wal {
    /// Makes an empty log in an empty directory. It is durable on return; [`open`](Self::open) it.
    ///
    /// # Errors
    /// `NotEmpty` if anything is there, `Io` for the environment's.
    pub async fn create(disk: Arc<dyn Disk>, identity: WalIdentity) -> Result<(), WalError> {
        flusher::run_on_disk(disk.clone(), async move {
            recovery::create(disk.as_ref(), identity).await
        })
        .await?
    }

    /// Opens a log: replays it, cuts a torn tail, syncs everything once more, and starts the flusher.
    ///
    /// # Errors
    /// `NotCreated`, `Foreign` and `UnknownFile` for a directory that is not this node's log,
    /// `Corrupt` for one that lost something durable, `Io` for the environment's. Nothing but a torn
    /// tail is changed when this fails.
    pub async fn open(
        disk: Arc<dyn Disk>,
        identity: WalIdentity,
        config: WalConfig,
    ) -> Result<Wal, WalError> {
        let (requests, received) = mpsc::channel(config.queue.max(1));
        let (opened_tx, opened_rx) = oneshot::channel();
        flusher::start(disk, identity, config, received, opened_tx)?;
        let shared = opened_rx.await.map_err(|_| WalError::Closed)??;
        Ok(Wal { shared, requests, low_bytes: config.low_bytes })
    }

    /// What the log holds now, durable or not.
    pub fn state(&self) -> WalState {
        self.shared.index.lock().state()
    }

    /// How far writing has come.
    pub fn progress(&self) -> Progress {
        let settled = self.shared.settled();
        Progress { requested: self.shared.index.lock().requests(), settled }
    }

    /// Whether the disk has room, as far as writes and [`look_at_space`](Self::look_at_space) know.
    pub fn space(&self) -> Space {
        self.shared.space.get()
    }

    /// Asks the disk how much is left.
    ///
    /// # Errors
    /// `Io` if it does not say.
    pub async fn look_at_space(&self) -> Result<(), WalError> {
        self.shared.space.note_free(self.shared.free().await?, self.low_bytes);
        Ok(())
    }

    /// How many bytes the segments take.
    pub fn bytes(&self) -> u64 {
        self.shared.index.lock().sizes.values().map(|(bytes, _)| bytes).sum()
    }

    /// The entry up to which the log must be purged to take at most `limit` bytes, if it takes more.
    /// The last segment stays in any case.
    pub fn purge_for_size(&self, limit: u64) -> Option<u64> {
        self.shared.index.lock().purge_for_size(limit)
    }

    /// Appends entries. They can be read when this returns; `done` is called once they are durable,
    /// or with the reason for which they never will be. An empty append is durable once everything
    /// before it is.
    ///
    /// # Errors
    /// `Hole` if the first does not follow the last entry, `TooLarge`, or the log's final failure.
    /// `done` is dropped uncalled then.
    pub async fn append(&self, entries: Vec<LogEntry>, done: Completion) -> Result<(), WalError> {
        if let Some(entry) = entries.iter().find(|e| e.body.len() > MAX_BODY) {
            return Err(WalError::TooLarge { bytes: entry.body.len() });
        }
        let queued = entries.clone();
        self.submit(Operation::Entries(queued), done, move |index| index.append(entries)).await
    }

    /// Saves a vote; it is durable on return.
    ///
    /// # Errors
    /// The log's final failure.
    pub async fn save_vote(&self, vote: VoteMark) -> Result<(), WalError> {
        self.submit_and_wait(Operation::Vote(vote), move |index| {
            index.vote = Some(vote);
            Ok(())
        })
        .await
    }

    /// Notes that everything up to `position` is committed. Costs no sync: the mark goes out with
    /// the next group, behind its entries, and is lost if none follows before a crash.
    pub fn note_committed(&self, position: Position) {
        self.shared.index.lock().note_committed(position);
    }

    /// Removes the entries from `first` on. Visible at once; durable with whatever is next.
    ///
    /// # Errors
    /// The log's final failure.
    pub async fn truncate_from(&self, first: u64) -> Result<(), WalError> {
        self.submit(Operation::Truncate { first }, operation::nobody(), move |index| {
            index.truncate_from(first);
            Ok(())
        })
        .await
    }

    /// Removes the entries up to and including `upto`, which may lie beyond the last. Visible at
    /// once; segments are removed once the purge mark is durable.
    ///
    /// # Errors
    /// The log's final failure.
    pub async fn purge(&self, upto: Position) -> Result<(), WalError> {
        self.submit(Operation::Purge(upto), operation::nobody(), move |index| {
            index.purge(upto);
            Ok(())
        })
        .await
    }

    /// Waits until everything submitted so far is durable.
    ///
    /// # Errors
    /// The log's final failure.
    pub async fn flush(&self) -> Result<(), WalError> {
        self.submit_and_wait(Operation::Entries(Vec::new()), |_| Ok(())).await
    }

    /// The entries from `from` to `to`, `to` excluded, that the log holds. Bodies that are no longer
    /// in memory are read from the disk. At least one entry is returned if there is any; beyond
    /// that, reading stops before the bodies exceed `limit` bytes.
    ///
    /// # Errors
    /// `Corrupt` if the disk gives something else than what was written, `Io`.
    pub async fn read(&self, from: u64, to: u64, limit: usize) -> Result<Vec<LogEntry>, WalError> {
        let found = self.shared.index.lock().collect(from, to, limit);
        let mut entries = Vec::with_capacity(found.len());
        for (position, body) in found {
            let body = match body {
                SlotBody::Cached(body) => body,
                SlotBody::OnDisk { place, file } => {
                    self.shared.read_back(position, place, file).await?
                }
            };
            entries.push(LogEntry { position, body });
        }
        Ok(entries)
    }

    /// The name of the entry at `index`, if the log holds it.
    pub fn position_at(&self, index: u64) -> Option<Position> {
        self.shared.index.lock().position_at(index)
    }

    /// Makes everything durable, commit mark included, and ends the flusher. The log refuses
    /// everything afterwards, through all clones.
    ///
    /// # Errors
    /// The log's final failure.
    pub async fn close(&self) -> Result<(), WalError> {
        self.submit_and_wait(Operation::Close, |_| Ok(())).await
    }

    /// Resolves when the log has failed for good, with the reason; otherwise never. Whoever runs
    /// the node must end the process then.
    pub async fn failed(&self) -> WalError {
        self.shared.failed().await
    }

    /// Changes the state in memory and queues the operation, both under one lock, so that the disk
    /// sees what readers see in the same order.
    async fn submit(
        &self,
        operation: Operation,
        done: Completion,
        change: impl FnOnce(&mut LogIndex) -> Result<(), WalError>,
    ) -> Result<(), WalError> {
        let Ok(permit) = self.requests.reserve().await else {
            return Err(self.shared.failure().unwrap_or(WalError::Closed));
        };
        let mut index = self.shared.index.lock();
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        change(&mut index)?;
        let number = index.next_request();
        permit.send(Request { operation, number, done });
        Ok(())
    }

    async fn submit_and_wait(
        &self,
        operation: Operation,
        change: impl FnOnce(&mut LogIndex) -> Result<(), WalError>,
    ) -> Result<(), WalError> {
        let (tx, rx) = oneshot::channel();
        let done: Completion = Box::new(move |outcome| {
            // The caller may have gone; the operation stands all the same.
            let _ = tx.send(outcome);
        });
        self.submit(operation, done, change).await?;
        match rx.await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.shared.failure().unwrap_or(WalError::Closed)),
        }
    }
}

/// What the handle and the flusher share.
type SharedIndex = Mutex<LogIndex>;

#[cfg(all(test, madsim))]
mod simulated_tests;
#[cfg(all(test, not(madsim)))]
mod tests;
