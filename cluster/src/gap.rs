//! The gaps between a check and the act that it allows.
//!
//! Code that checks a right and then acts on it names the moment in between. In production this
//! is nothing; the simulator freezes nodes there, because random faults almost never hit such a
//! moment and a real machine stops wherever it likes.

/// A moment between a check and its act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gap {
    /// An operation was taken up; its rights have not been checked yet.
    Queued,
    /// The gate let an operation through; the storage has not been asked yet.
    GateToStorage,
    /// The storage has answered; the gate has not been asked again.
    StorageToGate,
    /// The gate let an answer through; it is not written to the socket yet.
    GateToReply,
    /// The cluster decided on an intent or duty; the storage step has not begun.
    DecisionToStorage,
    /// The storage step is done; the cluster has not been told.
    StorageToDecision,
    /// A grant was applied; its barrier has not been asked for.
    GrantToBarrier,
    /// A break notification was taken from the state; it is not written yet.
    BreakToSocket,
    /// An open was sealed and drained; its release is not submitted yet.
    DrainToRelease,
}

/// Passes a gap.
#[cfg(not(madsim))]
#[inline(always)]
pub async fn pass(_gap: Gap) {}

#[cfg(madsim)]
pub use simulated::{Hook, pass, set_hook};

#[cfg(madsim)]
mod simulated {
    use std::cell::RefCell;
    use std::future::Future;
    use std::pin::Pin;
    use std::rc::Rc;

    use super::Gap;

    /// What happens at a gap: usually nothing, sometimes the node stands still.
    pub type Hook = Rc<dyn Fn(Gap) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Installs the simulation's hook. One simulation runs on one thread.
    pub fn set_hook(hook: Hook) {
        HOOK.with(|slot| *slot.borrow_mut() = Some(hook));
    }

    /// Passes a gap.
    pub async fn pass(gap: Gap) {
        let stop = HOOK.with(|slot| slot.borrow().as_ref().map(|hook| hook(gap)));
        if let Some(stop) = stop {
            stop.await;
        }
    }
}
