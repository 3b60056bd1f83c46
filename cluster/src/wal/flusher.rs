//! The one task that writes: takes what has gathered in the queue, writes it as one group, syncs
//! once, and reports to all that waited.
//!
//! Over a real disk it runs on a thread of its own, for its calls block; in the simulator, and over
//! a simulated disk, it is a task. A failure is final: it is kept, told to everyone who waits or
//! asks, and ends the flusher. A full disk is none: the reserve is given up for the write, and when
//! that does not help the write is tried again until there is room, with everyone waiting.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::index::{DiskBody, LogIndex, Place};
use super::operation::{Completion, Operation, Request};
use super::record::{self, Record};
use super::reserve::Reserve;
use super::space::SpaceWatch;
use super::writer::{Group, Writer};
use super::{Position, SharedIndex, WalConfig, WalError, WalIdentity, recovery, segment};
use crate::disk::Disk;
use crate::planted::{self, PlantedBug};
use crate::raft::runtime::blocking;

/// How often a write is tried again that found no room, and the reserve that is gone.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// What the handles and the flusher share. Locks are taken in the order of declaration.
pub(super) struct Shared {
    pub(super) index: SharedIndex,
    pub(super) space: SpaceWatch,
    /// The number of the last request that is durable, or never will be.
    settled: AtomicU64,
    failure: Mutex<Option<WalError>>,
    failed: Notify,
    disk: Arc<dyn Disk>,
    identity: WalIdentity,
}

impl Shared {
    fn new(index: LogIndex, disk: Arc<dyn Disk>, identity: WalIdentity) -> Self {
        Self {
            index: Mutex::new(index),
            space: SpaceWatch::default(),
            settled: AtomicU64::new(0),
            failure: Mutex::new(None),
            failed: Notify::new(),
            disk,
            identity,
        }
    }

    /// How many requests are settled: durable, or failed for good.
    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }

    /// How many bytes the disk has left.
    pub(super) async fn free(&self) -> Result<u64, WalError> {
        let disk = self.disk.clone();
        run_on_disk(self.disk.clone(), async move { disk.free().await })
            .await?
            .map_err(WalError::io("asking for the log's free space"))
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
        let reserve = Reserve::new(config.reserve_bytes);
        let flusher = Flusher { writer, reserve, requests, group_bytes: config.group_bytes };
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
        .enable_time()
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
    reserve: Reserve,
    requests: mpsc::Receiver<Request>,
    group_bytes: usize,
}

impl Flusher {
    async fn run(mut self, shared: Arc<Shared>) {
        let mut watch = Watch { shared: shared.clone(), ended_well: false };
        let mut end = WalError::Closed;
        if let Err(failure) = self.work(&shared).await {
            tracing::error!(%failure, "the log failed; this process must end");
            shared.fail(failure.clone());
            end = failure;
        }
        self.requests.close();
        while let Some(request) = self.requests.recv().await {
            (request.done)(Err(end.clone()));
        }
        watch.ended_well = true;
    }

    /// Writes until the log is closed or nobody has it any more.
    async fn work(&mut self, shared: &Shared) -> Result<(), WalError> {
        self.make_reserve(shared).await?;
        while let Some(mut batch) = self.next(shared).await? {
            let closes = batch.closes;
            let outcome = self.flush(shared, &mut batch).await;
            if let Err(failure) = &outcome {
                // Before anybody hears of it: who asks then finds the same answer.
                shared.fail(failure.clone());
            }
            shared.settled.store(batch.last, Ordering::Release);
            batch.complete(&outcome);
            outcome?;
            if closes {
                break;
            }
            self.writer.remove_purged(shared).await?;
        }
        Ok(())
    }

    /// The next batch. While the reserve is missing it is tried for in between.
    async fn next(&mut self, shared: &Shared) -> Result<Option<Batch>, WalError> {
        while !self.reserve.is_held() {
            match timeout(TRY_AGAIN, self.gather()).await {
                Ok(batch) => return Ok(batch),
                Err(_) => self.make_reserve(shared).await?,
            }
        }
        Ok(self.gather().await)
    }

    async fn make_reserve(&mut self, shared: &Shared) -> Result<(), WalError> {
        let missing = self.reserve.make(self.writer.disk()).await?;
        let why = |why| format!("no room for the reserve of the log: {why}");
        shared.space.set_unreserved(missing.map(why));
        Ok(())
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
        let group = loop {
            match self.writer.begin(shared).await {
                Err(full @ WalError::Full { .. }) => self.find_room(shared, full).await?,
                begun => break begun?,
            }
        };
        let group = fill(group, shared, batch);
        if group.is_empty() {
            return Ok(());
        }
        loop {
            match self.writer.write(&group).await {
                Err(full @ WalError::Full { .. }) => self.find_room(shared, full).await?,
                written => break written?,
            }
        }
        shared.space.set_blocked(None);
        if planted::is(PlantedBug::AckBeforeSync) {
            for done in std::mem::take(&mut batch.done) {
                done(Ok(()));
            }
        }
        let places = self.writer.sync(shared, group).await?;
        shared.index.lock().placed(&places);
        Ok(())
    }

    /// Gives the reserve up for a write that found no room, or lets time pass.
    ///
    /// # Errors
    /// Nobody has the log any more, so nobody can make room for it either.
    async fn find_room(&mut self, shared: &Shared, full: WalError) -> Result<(), WalError> {
        if self.reserve.release(self.writer.disk()).await? {
            shared.space.set_unreserved(Some(format!("the log's reserve is in use: {full}")));
            return Ok(());
        }
        shared.space.set_blocked(Some(format!("the log's disk is full: {full}")));
        if self.requests.is_closed() {
            return Err(full);
        }
        sleep(TRY_AGAIN).await;
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
