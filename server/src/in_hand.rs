//! What somebody on this node is taking care of, so that it is done once at a time, and so that
//! [`crate::leftovers`] tells it from what nobody is.

use std::collections::BTreeSet;
use std::sync::Arc;

use holdfast_cluster::command::{DutyId, IntentId, OpenRef};
use holdfast_proto::types::SessionId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Something that the log has decided and that somebody has to see through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Matter {
    /// The storage step of a create, and its grant or its end.
    Intent(IntentId),
    /// A step on the storage.
    Duty(DutyId),
    /// An open on its way into its session's table, or out of it.
    Open(OpenRef),
}

/// The matters in hand.
#[derive(Debug, Default)]
pub struct InHand {
    matters: Mutex<BTreeSet<Matter>>,
    /// Sessions of which a CREATE got no answer from the cluster: it may yet be granted.
    unanswered: Mutex<BTreeSet<SessionId>>,
    put_down: Notify,
}

/// One matter in hand, until this is dropped.
#[derive(Debug)]
#[must_use = "the matter is put down at once"]
pub struct Held {
    in_hand: Arc<InHand>,
    matter: Matter,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.in_hand.matters.lock().remove(&self.matter);
        self.in_hand.put_down.notify_waiters();
    }
}

impl InHand {
    /// Takes the matter in hand, once nobody else has it.
    pub async fn hold(self: &Arc<Self>, matter: Matter) -> Held {
        loop {
            // Registered before the look, so that no end falls in between.
            let mut put_down = std::pin::pin!(self.put_down.notified());
            put_down.as_mut().enable();
            if self.matters.lock().insert(matter) {
                return Held { in_hand: Arc::clone(self), matter };
            }
            put_down.await;
        }
    }

    /// True if somebody has it.
    pub fn contains(&self, matter: Matter) -> bool {
        self.matters.lock().contains(&matter)
    }

    /// A CREATE of the session got no answer from the cluster.
    pub fn note_unanswered(&self, session: SessionId) {
        self.unanswered.lock().insert(session);
    }

    /// The sessions of which that is known; those that `keep` does not name are forgotten.
    pub fn unanswered(&self, keep: impl Fn(SessionId) -> bool) -> BTreeSet<SessionId> {
        let mut unanswered = self.unanswered.lock();
        unanswered.retain(|session| keep(*session));
        unanswered.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time() {
        let in_hand = Arc::<InHand>::default();
        let matter = Matter::Duty(DutyId(1));
        let first = in_hand.hold(matter).await;
        assert!(in_hand.contains(matter));
        let second = tokio::spawn({
            let in_hand = Arc::clone(&in_hand);
            async move { in_hand.hold(matter).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        let second = second.await.unwrap();
        assert!(in_hand.contains(matter));
        drop(second);
        assert!(!in_hand.contains(matter));
    }
}
