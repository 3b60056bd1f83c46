//! Whether this node serves clients, as an administrator wants it, and how it stops in order.
//!
//! A node that is withdrawn stays in the cluster and votes, but does not listen. What its clients
//! held goes on elsewhere as after a lost connection: each session is sealed, drained and ended in
//! the log, so that no takeover has to wait for a fence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::node::Node;

/// How often it is looked at whether everything has ended.
const POLL: Duration = Duration::from_millis(5);

/// What is wanted of a node's listeners, and how many listen.
#[derive(Debug, Default)]
pub struct Service {
    withdrawn: AtomicBool,
    listening: AtomicUsize,
}

impl Service {
    /// True while the node is to serve no client.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Acquire)
    }

    /// Serves clients again.
    pub fn resume(&self) {
        self.withdrawn.store(false, Ordering::Release);
    }

    /// Counts a listener until the value is dropped.
    pub(crate) fn listens(&self) -> Listening<'_> {
        self.listening.fetch_add(1, Ordering::AcqRel);
        Listening(&self.listening)
    }
}

/// A listener that is open.
pub(crate) struct Listening<'a>(&'a AtomicUsize);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Stops serving clients until [`Service::resume`]. Leadership goes first, so that the sessions'
/// ends find a leader that stays. True once nothing is left; false if that took longer than
/// `limit`, and it goes on.
pub async fn withdraw(node: &Arc<Node>, limit: Duration) -> bool {
    if !node.service.withdrawn.swap(true, Ordering::AcqRel) {
        tracing::info!("withdrawing from service");
    }
    node.cluster.hand_over().await;
    let left = timeout(limit, quiet(node)).await.is_ok();
    if left {
        tracing::info!("withdrawn: nothing is served here");
    }
    left
}

/// Returns once no client is served and nothing touches the storage.
pub async fn quiet(node: &Node) {
    while !is_quiet(node) {
        sleep(POLL).await;
    }
}

fn is_quiet(node: &Node) -> bool {
    node.service.listening.load(Ordering::Acquire) == 0
        && node.sessions.is_empty()
        && node.gate.operations().load(Ordering::Acquire) == 0
}
