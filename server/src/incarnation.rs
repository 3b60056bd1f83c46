//! One life of a node, from its join to its orderly end: what takes effects up, listens, and at
//! the end gives back. Real nodes and simulated ones are put together here alike.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::raft::Effects;
use tokio::task::JoinHandle;

use crate::effects;
use crate::leftovers;
use crate::node::Node;
use crate::opens_keeper::OpensKeeper;
use crate::peers::Peers;
use crate::runtime::Listener;
use crate::service;
use crate::signal::Signal;

/// How long sessions may take to end, and storage operations to drain, before others have to find
/// out for themselves that the node is gone.
const DRAIN_WAIT: Duration = Duration::from_secs(2);

/// A node that serves.
pub struct Incarnation {
    node: Arc<Node>,
    stop: Arc<Signal>,
    effects: JoinHandle<()>,
}

impl Incarnation {
    /// Begins to serve: answers the other nodes, takes effects up, listens for clients. `node` has
    /// no gate in front of its opens yet.
    pub fn begin(
        node: Arc<Node>,
        peers: &Peers,
        effects: Effects,
        addresses: &[SocketAddr],
    ) -> Incarnation {
        node.set_opens_gate(Arc::new(OpensKeeper::new(&node)));
        peers.serve(&node);
        // Before the first effect: what was due earlier is only in the state.
        effects::take_due(&node);
        let taken = tokio::spawn(take_all(Arc::clone(&node), effects));
        let stop = Arc::<Signal>::default();
        for address in addresses {
            tokio::spawn(Listener::new(Arc::clone(&node), *address, Arc::clone(&stop)).run());
        }
        Incarnation { node, stop, effects: taken }
    }

    /// Hands leadership over, stops listening, ends every session, and waits until nothing touches
    /// the storage. True if all of that was seen: only then may the log be told that this life is
    /// over.
    pub async fn drain(&self) -> bool {
        self.node.cluster.hand_over().await;
        self.stop.raise();
        let drained = async {
            service::quiet(&self.node).await;
            // What waits in front of the gate must not enter once another node may own it.
            self.node.gate.close();
            service::quiet(&self.node).await;
        };
        tokio::time::timeout(DRAIN_WAIT, drained).await.is_ok()
    }
}

impl Drop for Incarnation {
    fn drop(&mut self) {
        self.stop.raise();
        self.effects.abort();
    }
}

async fn take_all(node: Arc<Node>, mut effects: Effects) {
    let taken = async {
        while let Some((id, effect)) = effects.recv().await {
            effects::take(&node, id, effect);
        }
    };
    tokio::select! {
        biased;
        () = taken => {}
        () = leftovers::watch(Arc::clone(&node)) => {}
    }
}
