//! One server node: what all its connections share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use holdfast_proto::types::{ClientGuid, SessionId, VolumeId};
use parking_lot::Mutex;

use crate::breaks::Breaks;
use crate::connection::{Connection, ConnectionId};
use crate::doctor::Benches;
use crate::gate::Gate;
use crate::in_hand::InHand;
use crate::limits;
use crate::ports::{Clock, Cluster, Random, Vfs};
use crate::service::Service;
use crate::session::{OpensGate, SessionTable};
use crate::vfs::Issuer;

/// The shared services of a node. One value for the whole process life of an incarnation.
pub struct Node {
    pub cluster: Arc<dyn Cluster>,
    /// The volumes, the same on every node of the cluster.
    pub volumes: BTreeMap<VolumeId, Arc<dyn Vfs>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// The sessions of this node.
    pub sessions: SessionTable,
    /// Before the storage, and before answers.
    pub gate: Gate,
    /// Break notifications on their way to clients.
    pub breaks: Breaks,
    /// What somebody here is taking care of.
    pub in_hand: Arc<InHand>,
    /// Whether clients are to be served at all.
    pub service: Service,
    /// Examinations in which this node takes part.
    pub benches: Benches,
    connections: Mutex<BTreeMap<ConnectionId, Arc<Connection>>>,
    next_connection: AtomicU64,
    next_volatile: AtomicU64,
    next_session: AtomicU32,
    opens_gate: OnceLock<Arc<dyn OpensGate>>,
}

impl Node {
    /// A node over its ports. [`Node::set_opens_gate`] has to follow before it serves.
    pub fn new(
        cluster: Arc<dyn Cluster>,
        volumes: BTreeMap<VolumeId, Arc<dyn Vfs>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Node {
        Node {
            gate: Gate::new(Arc::clone(&cluster), Arc::clone(&clock)),
            breaks: Breaks::default(),
            in_hand: Arc::default(),
            service: Service::default(),
            benches: Benches::default(),
            cluster,
            volumes,
            clock,
            random,
            sessions: SessionTable::default(),
            connections: Mutex::default(),
            next_connection: AtomicU64::new(1),
            next_volatile: AtomicU64::new(1),
            next_session: AtomicU32::new(1),
            opens_gate: OnceLock::new(),
        }
    }

    /// Puts the gate in front of the storage in place; once.
    pub fn set_opens_gate(&self, gate: Arc<dyn OpensGate>) {
        assert!(self.opens_gate.set(gate).is_ok(), "a node has one gate");
    }

    /// The gate in front of the storage.
    pub fn opens_gate(&self) -> &Arc<dyn OpensGate> {
        self.opens_gate.get().expect("the gate is set before the listener opens")
    }

    /// The tag of this node's storage operations; add the open with [`Issuer::for_open`].
    pub fn issuer(&self) -> Issuer {
        let life = self.cluster.life();
        Issuer::node(life.node, life.incarnation)
    }

    /// The storage takes nothing from this incarnation any more: a fencer has acted. The log may
    /// never come to say so, for the fencer may have died of the same fault; but this incarnation
    /// can keep no promise now, and ends so that its opens can go elsewhere.
    pub fn storage_refuses(&self) {
        tracing::error!("the storage refuses this incarnation: it was fenced");
        self.cluster.node_lease().set_fenced();
    }

    /// A FileId.Volatile that this node never gave out before; 0 and all ones are never given.
    pub fn next_volatile(&self) -> u64 {
        self.next_volatile.fetch_add(1, Ordering::Relaxed)
    }

    /// A session id that is unique in the cluster before any commit: the upper half belongs to
    /// this incarnation.
    pub fn next_session_id(&self) -> SessionId {
        let counter = self.next_session.fetch_add(1, Ordering::Relaxed);
        SessionId::new(self.cluster.session_prefix(), counter)
    }

    /// The volume of that id.
    pub fn volume(&self, id: VolumeId) -> Option<&Arc<dyn Vfs>> {
        self.volumes.get(&id)
    }

    /// Registers a new connection; none if there are as many as there may be.
    pub(crate) fn add_connection(&self, peer: String) -> Option<Arc<Connection>> {
        let mut connections = self.connections.lock();
        if connections.len() >= limits::CONNECTIONS_MAX {
            return None;
        }
        let id = ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed));
        let connection = Arc::new(Connection::new(id, peer));
        connections.insert(id, connection.clone());
        Some(connection)
    }

    /// Forgets a connection whose sessions have ended.
    pub(crate) fn remove_connection(&self, id: ConnectionId) {
        self.connections.lock().remove(&id);
    }

    /// Every open connection, oldest first.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.connections.lock().values().filter(|c| !c.is_closed()).cloned().collect()
    }

    /// The open connections of a client, oldest first: where its break notifications go.
    pub fn connections_of(&self, client: ClientGuid) -> Vec<Arc<Connection>> {
        let connections = self.connections.lock();
        connections
            .values()
            .filter(|connection| !connection.is_closed() && connection.client_guid() == client)
            .cloned()
            .collect()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("life", &self.cluster.life()).finish_non_exhaustive()
    }
}
