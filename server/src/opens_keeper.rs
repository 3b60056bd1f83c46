//! The gate's side of a session's end: seal and drain its opens, let go of them, and carry out
//! what their last close decided.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use holdfast_cluster::command::OpenRef;
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::outcome::Duty;
use holdfast_proto::types::OpenId;
use tracing::debug;

use crate::duties;
use crate::node::Node;
use crate::session::{LocalOpen, OpensGate};

/// Keeps the opens of one node's sessions in order when they end.
pub struct OpensKeeper {
    node: Weak<Node>,
}

impl OpensKeeper {
    pub fn new(node: &Arc<Node>) -> OpensKeeper {
        OpensKeeper { node: Arc::downgrade(node) }
    }
}

#[async_trait]
impl OpensGate for OpensKeeper {
    async fn seal(&self, opens: &[Arc<LocalOpen>]) {
        let Some(node) = self.node.upgrade() else { return };
        for open in opens {
            node.gate.seal(open.open);
        }
        for open in opens {
            node.gate.drain_open(open.open).await;
        }
        gap::pass(Gap::DrainToRelease).await;
    }

    async fn may_answer(&self, open: OpenRef) -> bool {
        let Some(node) = self.node.upgrade() else { return false };
        node.gate.wait_to_answer(open).await.is_ok()
    }

    async fn ended(&self, opens: Vec<Arc<LocalOpen>>, detached: &[OpenId], duties: Vec<Duty>) {
        let Some(node) = self.node.upgrade() else { return };
        debug!(opens = opens.len(), detached = detached.len(), "opens of a session ended");
        drop(opens);
        for duty in duties {
            // Its result is in the log, where whoever waits for it sees it.
            let _ = duties::run(&node, &duty).await;
        }
    }
}
