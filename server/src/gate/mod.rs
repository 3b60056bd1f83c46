//! The gate: no operation reaches the storage, and no answer reaches a client, for an open that
//! this node may no longer own.
//!
//! Each operation first counts itself in flight, on its open and its file, and only then looks at
//! the rights: owner, generation, seal, node lease, and the replica's byte-range locks and leases
//! as they are at that moment. Whoever changes rights first publishes the change and then waits
//! for the count: so an operation either saw the change or is waited for. It leaves through the
//! same check, and the writer of the answer makes it once more.
//!
//! Invariant: an operation that waits for the log is not in flight. It leaves, and enters again.
//!
//! Never knows: SMB messages, statuses, which storage there is.

mod inflight;
mod rights;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_cluster::command::OpenRef;
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::handle::{Cluster, NodeLease};
use holdfast_cluster::planted::{self, PlantedBug};
use holdfast_cluster::ports::Clock;
use holdfast_cluster::state::State;
use holdfast_proto::types::FileKey;

use inflight::{Inflight, Ticket};

/// What an operation is about to do to a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Io {
    /// Reads these bytes.
    Read(Range<u64>),
    /// Changes these bytes.
    Write(Range<u64>),
    /// Changes the file's size.
    Resize,
    /// Anything that byte-range locks and leases do not concern.
    Other,
}

/// Why an operation may not go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GateError {
    /// The open is another's now: nothing may be said about it on this connection.
    #[error("the open is not this node's any more")]
    Lost,
    /// The open was closed meanwhile. Its close waited for what was in flight, so answers to
    /// that are true.
    #[error("the open is closed")]
    Closed,
    /// This node's incarnation has ended.
    #[error("this node's incarnation has ended")]
    Ended,
    /// A byte-range lock of another open covers the bytes.
    #[error("the bytes are locked by another open")]
    Locked,
    /// Other clients may cache what would change: submit `BreakForIo` and enter again.
    #[error("other clients may hold the content in their caches")]
    MustBreak,
}

/// How often a sealed operation looks whether the node lease was renewed.
const RENEWAL_POLL: Duration = Duration::from_millis(5);

/// One node's gate.
pub struct Gate {
    cluster: Arc<dyn Cluster>,
    lease: Arc<NodeLease>,
    clock: Arc<dyn Clock>,
    inflight: Arc<Inflight>,
    /// This life is over: nothing enters any more.
    closed: AtomicBool,
    /// Operations that are between entering and leaving: what the watchdog reads.
    storage_operations: Arc<AtomicUsize>,
}

/// An operation's way through the gate. Dropping it counts the operation out.
#[must_use]
pub struct Permit {
    open: OpenRef,
    _ticket: Ticket,
    operations: Arc<AtomicUsize>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.operations.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The same for a step of the node's own.
#[must_use]
pub struct NodePermit {
    operations: Arc<AtomicUsize>,
}

impl Drop for NodePermit {
    fn drop(&mut self) {
        self.operations.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    /// A gate over the local replica and this node's lease.
    pub fn new(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>) -> Gate {
        let lease = Arc::clone(cluster.node_lease());
        Gate {
            cluster,
            lease,
            clock,
            inflight: Arc::default(),
            closed: AtomicBool::new(false),
            storage_operations: Arc::default(),
        }
    }

    /// Lets an operation through, once the node lease holds.
    pub async fn enter(&self, open: OpenRef, file: FileKey, io: &Io) -> Result<Permit, GateError> {
        self.pass(open, file, io, false).await
    }

    /// The same for an operation that has submitted `BreakForIo`, and is answered only after the
    /// clients that this names were told.
    pub async fn enter_after_break(
        &self,
        open: OpenRef,
        file: FileKey,
        io: &Io,
    ) -> Result<Permit, GateError> {
        self.pass(open, file, io, true).await
    }

    async fn pass(
        &self,
        open: OpenRef,
        file: FileKey,
        io: &Io,
        told: bool,
    ) -> Result<Permit, GateError> {
        self.wait_for_lease().await?;
        gap::pass(Gap::Queued).await;
        loop {
            match self.try_enter(open, file, io, told)? {
                Some(permit) => {
                    gap::pass(Gap::GateToStorage).await;
                    return Ok(permit);
                }
                None => self.wait_for_lease().await?,
            }
        }
    }

    /// One attempt; none if the node lease does not hold now.
    fn try_enter(
        &self,
        open: OpenRef,
        file: FileKey,
        io: &Io,
        told: bool,
    ) -> Result<Option<Permit>, GateError> {
        // The count first: a drain that begins after this line waits for us.
        let ticket = self.inflight.begin(open.open, file);
        self.storage_operations.fetch_add(1, Ordering::AcqRel);
        let permit =
            Permit { open, _ticket: ticket, operations: Arc::clone(&self.storage_operations) };
        self.check_open()?;
        self.check_owner(open)?;
        if !planted::is(PlantedBug::LeaseCheckedAtEnqueue) && !self.lease.holds(self.clock.boot()) {
            return Ok(None);
        }
        let state = self.cluster.state();
        rights::check(&state, open.open, file, io, told)?;
        Ok(Some(permit))
    }

    /// Lets a step of the node's own through: a decided duty, an intent's storage step. The node
    /// lease speaks for it, and `is_ours`: that the state still has this node carry it out.
    pub async fn enter_for_node(
        &self,
        is_ours: impl Fn(&State) -> bool,
    ) -> Result<NodePermit, GateError> {
        loop {
            self.wait_for_lease().await?;
            self.storage_operations.fetch_add(1, Ordering::AcqRel);
            let permit = NodePermit { operations: Arc::clone(&self.storage_operations) };
            self.check_open()?;
            if self.lease.holds(self.clock.boot()) {
                return if is_ours(&self.cluster.state()) {
                    Ok(permit)
                } else {
                    Err(GateError::Lost)
                };
            }
        }
    }

    /// From now on nothing enters: this life ends. Whoever is in is waited for by the count.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// After the count: who closes the gate waits for it.
    fn check_open(&self) -> Result<(), GateError> {
        if self.closed.load(Ordering::SeqCst) { Err(GateError::Ended) } else { Ok(()) }
    }

    /// Counts the operation out, and returns once its result may be told. Waits while the node
    /// lease is not renewed: nothing is answered by a sealed node.
    pub async fn leave(&self, permit: Permit) -> Result<(), GateError> {
        gap::pass(Gap::StorageToGate).await;
        let open = permit.open;
        // The storage has answered: what is left to do concerns the answer alone.
        drop(permit);
        self.wait_to_answer(open).await?;
        gap::pass(Gap::GateToReply).await;
        Ok(())
    }

    /// Returns once an answer about the open may be handed to the kernel, or is known to be void.
    /// The connection's writer asks last.
    pub async fn wait_to_answer(&self, open: OpenRef) -> Result<(), GateError> {
        while !self.may_answer(open)? {
            tokio::time::sleep(RENEWAL_POLL).await;
        }
        Ok(())
    }

    /// True if an answer about the open may be handed to the kernel now, false if the node lease
    /// has to be renewed first.
    fn may_answer(&self, open: OpenRef) -> Result<bool, GateError> {
        if planted::is(PlantedBug::ReplyAfterLeaseEnd) {
            return Ok(true);
        }
        if self.lease.is_fenced() {
            return Err(GateError::Ended);
        }
        // The node's right first: the replica of a node without it may be old.
        if !self.lease.holds(self.clock.boot()) {
            return Ok(false);
        }
        match self.check_generation(open) {
            Ok(()) | Err(GateError::Closed) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Seals an open in this generation, for good: nothing enters for it any more. Its end, or
    /// its release, is on its way to the log, or may be.
    pub fn seal(&self, open: OpenRef) {
        self.inflight.seal(open);
    }

    /// True once the open is sealed.
    pub fn is_sealed(&self, open: OpenRef) -> bool {
        self.inflight.is_sealed(open)
    }

    /// Forgets the seals of opens that are this node's no more: they never will be again, for
    /// whoever is given one of them gets another generation.
    pub fn forget_seals(&self) {
        let (state, life) = (self.cluster.state(), self.cluster.life());
        self.inflight.keep_seals(|open| rights::owns(&state, open, life));
    }

    /// Waits until nothing is in flight for the open. Seal it first.
    pub async fn drain_open(&self, open: OpenRef) {
        self.inflight.drain_open(open.open).await;
    }

    /// Waits until every operation on the file that had begun when this was called has ended.
    pub async fn drain_file(&self, file: FileKey) {
        self.inflight.drain_file(file).await;
    }

    /// Operations between entering and leaving.
    pub fn operations(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.storage_operations)
    }

    fn check_owner(&self, open: OpenRef) -> Result<(), GateError> {
        if self.inflight.is_sealed(open) {
            // A close, or the end of its session, is on its way to the log.
            return Err(GateError::Closed);
        }
        self.check_generation(open)
    }

    fn check_generation(&self, open: OpenRef) -> Result<(), GateError> {
        let state = self.cluster.state();
        if rights::owns(&state, open, self.cluster.life()) {
            Ok(())
        } else if state.open(open.open).is_none() {
            Err(GateError::Closed)
        } else {
            Err(GateError::Lost)
        }
    }

    async fn wait_for_lease(&self) -> Result<(), GateError> {
        loop {
            if self.lease.is_fenced() {
                return Err(GateError::Ended);
            }
            if self.lease.holds(self.clock.boot()) {
                return Ok(());
            }
            tokio::time::sleep(RENEWAL_POLL).await;
        }
    }
}
