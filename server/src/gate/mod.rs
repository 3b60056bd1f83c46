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

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_cluster::command::OpenRef;
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::handle::{Cluster, NodeLease};
use holdfast_cluster::planted::{self, PlantedBug};
use holdfast_cluster::ports::Clock;
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
        Gate { cluster, lease, clock, inflight: Arc::default(), storage_operations: Arc::default() }
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
        self.check_owner(open)?;
        if !planted::is(PlantedBug::LeaseCheckedAtEnqueue) && !self.lease.holds(self.clock.boot()) {
            return Ok(None);
        }
        let state = self.cluster.state();
        rights::check(&state, open.open, file, io, told)?;
        Ok(Some(permit))
    }

    /// Lets a step of the node's own through: a decided duty, an intent's storage step. Only the
    /// node lease speaks for it.
    pub async fn enter_for_node(&self) -> Result<NodePermit, GateError> {
        loop {
            self.wait_for_lease().await?;
            self.storage_operations.fetch_add(1, Ordering::AcqRel);
            let permit = NodePermit { operations: Arc::clone(&self.storage_operations) };
            if self.lease.holds(self.clock.boot()) {
                return Ok(permit);
            }
        }
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

    /// Seals an open: from now on nothing enters for it, until [`Gate::unseal`].
    pub fn seal(&self, open: OpenRef) {
        self.inflight.seal(open.open);
    }

    /// Forgets the seal of an open that was closed, or attached here again.
    pub fn unseal(&self, open: OpenRef) {
        self.inflight.unseal(open.open);
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
        if self.inflight.is_sealed(open.open) {
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
