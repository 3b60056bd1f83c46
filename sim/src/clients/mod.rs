//! Clients as [MS-SMB2] 3.2 describes them, written on `proto` alone: they can disagree with the
//! server. Each does one thing at a time, and acknowledges lease breaks meanwhile.
//!
//! Nothing here knows a type of the server.

mod client;
mod connection;
mod envelope;
mod finale;
mod handle;
mod io;
mod leases;
mod logon;
mod opening;
mod reclaim;
mod workload;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use holdfast_cluster::disk::sim::SimRandom;
use holdfast_proto::types::Guid;
use parking_lot::Mutex;

use crate::event::{ClientId, HandleId, OpNumber, Stamp};
use crate::plan::Plan;
use crate::tape::Tape;
pub use client::Client;
use connection::Connection;

/// The share that clients use.
pub const SHARE: &str = "demo";
pub const USER: &str = "user";
pub const PASSWORD: &str = "a password";
/// Where every node listens.
pub const SMB_PORT: u16 = 445;

/// What all clients of a run share with the scenario.
pub struct Surroundings {
    pub plan: Plan,
    pub tape: Arc<Tape>,
    /// The faults are over: finish.
    pub calm: AtomicBool,
    /// Which node each client uses, from 1; 0 if none. For faults that follow clients.
    pub whereabouts: Mutex<Vec<u64>>,
    /// The connection that each client uses: so that a fault can end it.
    connections: Mutex<Vec<Option<Connection>>>,
    /// Told when a client hears that an open, lock or close is done.
    pub on_answer: Box<dyn Fn() + Send + Sync>,
    numbers: AtomicU64,
}

impl Surroundings {
    pub fn new(plan: Plan, tape: Arc<Tape>, on_answer: Box<dyn Fn() + Send + Sync>) -> Self {
        let whereabouts = Mutex::new(vec![0; usize::from(plan.clients)]);
        let connections = Mutex::new((0..plan.clients).map(|_| None).collect());
        Surroundings {
            connections,
            plan,
            tape,
            calm: AtomicBool::new(false),
            whereabouts,
            on_answer,
            numbers: AtomicU64::new(1),
        }
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Ends the connections of a node's clients, as when a path is lost and both sides are told.
    pub fn disconnect(&self, node: u64) {
        let whereabouts = self.whereabouts.lock();
        for (at, connection) in whereabouts.iter().zip(self.connections.lock().iter_mut()) {
            if *at == node
                && let Some(connection) = connection.take()
            {
                connection.close();
            }
        }
    }

    fn linked(&self, client: ClientId, node: u64, connection: Option<Connection>) {
        self.whereabouts.lock()[usize::from(client.0)] = node;
        self.connections.lock()[usize::from(client.0)] = connection;
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn handle_id(&self) -> HandleId {
        HandleId(self.number())
    }

    fn op_number(&self) -> OpNumber {
        OpNumber(self.number())
    }

    fn stamp(&self) -> Stamp {
        Stamp(self.number())
    }
}

/// A client's own random numbers: what one client draws changes nothing for the others.
fn random_of(seed: u64, client: ClientId) -> SimRandom {
    SimRandom::new(seed ^ (u64::from(client.0) + 1).wrapping_mul(0x0123_4567_89ab_cdef))
}

/// A GUID.
fn guid(random: &mut SimRandom) -> Guid {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    Guid(bytes)
}
