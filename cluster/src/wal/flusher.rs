//! The one task that writes: takes what has gathered in the queue, writes it as one group, syncs
//! once, and reports to all that waited.
//!
//! Over a real disk it runs on a thread of its own, for its calls block; in the simulator, and over
//! a simulated disk, it is a task. A failure is final: it is kept, told to everyone who waits or
//! asks, and ends the flusher.

use std::future::Future;
use std::io;
use std::sync::Arc;

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};

use super::index::{DiskBody, LogIndex, Place};
use super::operation::{Completion, Operation, Request};
use super::record::{self, Record};
use super::writer::{Group, Writer};
use super::{Position, SharedIndex, WalConfig, WalError, WalIdentity, recovery, segment};
use crate::disk::Disk;
use crate::planted::{self, PlantedBug};
use crate::raft::runtime::blocking;

/// What the handles and the flusher share. Locks are taken in the order of declaration.
pub(super) struct Shared {
    pub(super) index: SharedIndex,
    failure: Mutex<Option<WalError>>,
    failed: Notify,
    disk: Arc<dyn Disk>,
    identity: WalIdentity,
}

impl Shared {
    fn new(index: LogIndex, disk: Arc<dyn Disk>, identity: WalIdentity) -> Self {
        let (failure, failed) = (Mutex::new(None), Notify::new());
        Self { index: Mutex::new(index), failure, failed, disk, identity }
    }

    /// The reason for which the log does nothing more, if it failed.
    pub(super) fn failure(&self) -> Option<WalError> {
        self.failure.lock().clone()
    }

    pub(super) async fn failed(&self) -> WalError {
        loop {
            let failed = self.failed.notified();
            let mut failed = std::pin::pin!(failed);
            failed.as_mut().enable();
            if let Some(failure) = self.failure() {
                return failure;
            }
            failed.await;
        }
    }

    fn fail(&self, failure: WalError) {
        self.failure.lock().get_or_insert(failure);
        self.failed.notify_waiters();
    }

    /// Reads an entry's body back from its segment.
    pub(super) async fn read_back(
        &self,
        position: Position,
        place: Place,
        from: DiskBody,
    ) -> Result<bytes::Bytes, WalError> {
        let name = segment::name(place.segment);
        let Some(file) = from.file else {
            return Err(WalError::corrupt(&name, place.offset, "the segment is not open"));
        };
        let size = record::entry_size(from.length);
        let reading = async move { file.read_at(place.offset, size).await };
        let bytes = run_on_disk(self.disk.clone(), reading)
            .await?
            .map_err(WalError::io(format!("reading {name}")))?;
        let salt = segment::salt(self.identity, place.segment);
        match record::decode(&bytes, place.offset, 0, salt).map(|found| found.record) {
            Ok(Record::Entry(entry)) if entry.position == position => Ok(entry.body),
            _ => Err(WalError::corrupt(&name, place.offset, "an entry does not read back")),
        }
    }
}

/// Runs a piece of disk work for a caller that must not block.
pub(super) async fn run_on_disk<T: Send + 'static>(
    disk: Arc<dyn Disk>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, WalError> {
    if !disk.blocks() {
        return Ok(work.await);
    }
    // Calls of a disk that blocks are complete when they return.
    blocking(move || work.now_or_never())
        .await
        .and_then(|done| done.ok_or_else(|| io::Error::other("a blocking disk did not block")))
        .map_err(WalError::io("running disk work"))
}

/// Starts the flusher, which opens the log and answers through `opened`.
///
/// # Errors
/// `Io` if there is no thread to be had.
pub(super) fn start(
    disk: Arc<dyn Disk>,
    identity: WalIdentity,
    config: WalConfig,
    requests: mpsc::Receiver<Request>,
    opened: oneshot::Sender<Result<Arc<Shared>, WalError>>,
) -> Result<(), WalError> {
    let blocks = disk.blocks();
    let flusher = async move {
        let (index, writer) = match recovery::open(disk.clone(), identity, &config).await {
            Ok(found) => found,
            Err(error) => {
                let _ = opened.send(Err(error));
                return;
            }
        };
        index_opened(&index);
        let shared = Arc::new(Shared::new(index, disk, identity));
        let flusher = Flusher { writer, requests, group_bytes: config.group_bytes };
        // If whoever opened has gone, the queue is closed too, and the loop ends at once.
        let _ = opened.send(Ok(shared.clone()));
        flusher.run(shared).await;
    };
    launch(blocks, flusher)
}

fn index_opened(index: &LogIndex) {
    let state = index.state();
    tracing::info!(?state.vote, ?state.purged, ?state.last, ?state.committed, "log opened");
}

#[cfg(not(madsim))]
fn launch(
    blocks: bool,
    flusher: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WalError> {
    if !blocks {
        tokio::spawn(flusher);
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(WalError::io("starting the flusher"))?;
    std::thread::Builder::new()
        .name("wal-flusher".to_owned())
        .spawn(move || runtime.block_on(flusher))
        .map_err(WalError::io("starting the flusher"))?;
    Ok(())
}

#[cfg(madsim)]
fn launch(
    _blocks: bool,
    flusher: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WalError> {
    tokio::spawn(flusher);
    Ok(())
}

/// Reports a failure if the flusher ends in any way but the intended ones.
struct Watch {
    shared: Arc<Shared>,
    ended_well: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.ended_well {
            let source = Arc::new(io::Error::other("it ended unexpectedly"));
            self.shared.fail(WalError::Io { doing: "running the flusher".to_owned(), source });
        }
    }
}

/// Requests that go to the disk together.
#[derive(Default)]
struct Batch {
    operations: Vec<Operation>,
    done: Vec<Completion>,
    weight: usize,
    /// Number of the last request.
    last: u64,
    closes: bool,
}

impl Batch {
    fn push(&mut self, request: Request) {
        self.weight += request.operation.weight();
        self.last = request.number;
        self.closes |= matches!(request.operation, Operation::Close);
        self.operations.push(request.operation);
        self.done.push(request.done);
    }

    fn complete(self, outcome: &Result<(), WalError>) {
        for done in self.done {
            done(outcome.clone());
        }
    }
}

struct Flusher {
    writer: Writer,
    requests: mpsc::Receiver<Request>,
    group_bytes: usize,
}

impl Flusher {
    async fn run(mut self, shared: Arc<Shared>) {
        let mut watch = Watch { shared: shared.clone(), ended_well: false };
        let mut end = WalError::Closed;
        while let Some(mut batch) = self.gather().await {
            let closes = batch.closes;
            let outcome = self.flush(&shared, &mut batch).await;
            if let Err(failure) = &outcome {
                tracing::error!(%failure, "the log failed; this process must end");
                shared.fail(failure.clone());
                end = failure.clone();
            }
            batch.complete(&outcome);
            if closes || outcome.is_err() {
                break;
            }
            if let Err(failure) = self.writer.remove_purged(&shared).await {
                tracing::error!(%failure, "the log failed; this process must end");
                shared.fail(failure.clone());
                end = failure;
                break;
            }
        }
        self.requests.close();
        while let Some(request) = self.requests.recv().await {
            (request.done)(Err(end.clone()));
        }
        watch.ended_well = true;
    }

    /// Waits for a request and takes what else is there.
    async fn gather(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        batch.push(self.requests.recv().await?);
        while batch.weight < self.group_bytes && !batch.closes {
            let Ok(request) = self.requests.try_recv() else { break };
            batch.push(request);
        }
        Some(batch)
    }

    async fn flush(&mut self, shared: &Shared, batch: &mut Batch) -> Result<(), WalError> {
        let group = self.writer.begin(shared).await?;
        let group = fill(group, shared, batch);
        if group.is_empty() {
            return Ok(());
        }
        self.writer.write(&group).await?;
        if planted::is(PlantedBug::AckBeforeSync) {
            for done in std::mem::take(&mut batch.done) {
                done(Ok(()));
            }
        }
        let places = self.writer.sync(group).await?;
        shared.index.lock().placed(&places);
        Ok(())
    }
}

/// Puts a batch into a group: its operations in their order, then the commit mark, which so stands
/// behind its entries: they are in this group or an earlier one.
fn fill(mut group: Group, shared: &Shared, batch: &Batch) -> Group {
    for operation in &batch.operations {
        match operation {
            Operation::Entries(entries) => {
                for entry in entries {
                    group.push(&Record::Entry(entry.clone()));
                }
            }
            Operation::Vote(vote) => group.push(&Record::Vote(*vote)),
            Operation::Truncate { first } => group.push(&Record::Truncate { first: *first }),
            Operation::Purge(upto) => group.push(&Record::Purge(*upto)),
            Operation::Close => {}
        }
    }
    let mark = shared.index.lock().commit_mark(batch.last);
    if let Some(mark) = mark
        && (!group.is_empty() || batch.closes)
        && group.marks().committed != Some(mark)
    {
        group.push(&Record::Commit(mark));
    }
    group
}
