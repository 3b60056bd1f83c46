//! A world with latency: operations queue up for a service that runs on a node of its own and
//! applies each after a time that is drawn for it.
//!
//! The service outlives the nodes that send operations, so what they had in flight when they died
//! still happens. Operations of one issuer may overtake each other, as they may on a network.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use holdfast_proto::types::FileTime;
use tokio::sync::{mpsc, oneshot};

use super::world::{Apply, Submitted, World};
use crate::vfs::VfsError;

/// How long an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Until it is applied.
    pub until_applied: Duration,
    /// From there until the issuer is answered.
    pub until_answered: Duration,
}

/// The storage's clock as the world outside defines it.
pub type StorageClock = Arc<dyn Fn() -> FileTime + Send + Sync>;

/// Tells which operations fail.
pub type Faults = Arc<dyn Fn(&Submitted) -> Option<VfsError> + Send + Sync>;

/// The issuers' end of the queue.
pub struct Queued {
    jobs: mpsc::UnboundedSender<Job>,
    clock: StorageClock,
    faults: Faults,
}

/// The service's end of the queue.
pub struct StorageService {
    jobs: mpsc::UnboundedReceiver<Job>,
}

struct Job {
    operation: Submitted,
    apply: Apply,
    answer: oneshot::Sender<()>,
}

impl Queued {
    /// A queue and the service that must [run](StorageService::run) for it.
    pub fn new(clock: StorageClock, faults: Faults) -> (Queued, StorageService) {
        let (jobs, service) = mpsc::unbounded_channel();
        (Queued { jobs, clock, faults }, StorageService { jobs: service })
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queued")
    }
}

impl World for Queued {
    fn now(&self) -> FileTime {
        (self.clock)()
    }

    fn submit(&self, operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        let (answer, answered) = oneshot::channel();
        let job = Job { operation: operation.clone(), apply, answer };
        let sent = self.jobs.send(job).is_ok();
        Box::pin(async move {
            // Without a service the operation is lost, and so is an answer whose sender is gone:
            // either way nothing tells what became of it.
            if sent {
                let _ = answered.await;
            }
        })
    }

    fn fault(&self, operation: &Submitted) -> Option<VfsError> {
        (self.faults)(operation)
    }
}

impl StorageService {
    /// Serves until every issuer's end is gone. To be spawned on the node that stands for the
    /// storage; `draw` is asked in the order of submission.
    pub async fn run(mut self, mut draw: impl FnMut(&Submitted) -> Latency + Send) {
        while let Some(job) = self.jobs.recv().await {
            let latency = draw(&job.operation);
            tokio::spawn(async move {
                wait(latency.until_applied).await;
                (job.apply)();
                wait(latency.until_answered).await;
                // The issuer may be gone: then nobody wants to know.
                let _ = job.answer.send(());
            });
        }
    }
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
