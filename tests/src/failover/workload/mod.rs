//! What clients do while nodes fail. Each has a file of its own with locked blocks, takes part in
//! files that all share, creates files that nobody else knows, and tries what must be refused. It
//! does one thing at a time, acknowledges lease breaks meanwhile, and when its node is gone it goes
//! on through another, as [MS-SMB2] 3.2 has it.

mod files;
mod finale;
mod handle;
mod io;
mod locking;
mod many;
mod opening;
mod reclaim;
mod sleeper;
mod work;
mod worker;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::history::{ClientId, Event, HandleId, History};
use crate::client::{Account, Connection, Parting, Watcher};
pub use files::blocks_of;
pub use worker::{Step, Worker};

/// How long a client waits for an answer before it gives the connection up. Nodes that freeze are
/// not found out by this, but by the end of the connection when they are fenced.
const PATIENCE: Duration = Duration::from_secs(20);
/// Once the server has said that it will take longer.
const PENDING_PATIENCE: Duration = Duration::from_secs(60);
/// How long one operation is tried at all.
const LONGEST: Duration = Duration::from_secs(90);

/// What all clients of a round share.
pub struct Around {
    pub history: History,
    pub account: Account,
    /// Where each node listens, from node 1 on.
    pub addresses: Vec<SocketAddr>,
    pub clients: u64,
    /// Makes file names of this round differ from those of others.
    pub round: u64,
    calm: AtomicBool,
    numbers: AtomicU64,
    /// The node and the connection that each client uses.
    links: Mutex<BTreeMap<ClientId, (u64, Connection)>>,
}

impl Around {
    pub fn new(account: Account, addresses: Vec<SocketAddr>, clients: u64, round: u64) -> Around {
        Around {
            history: History::default(),
            account,
            addresses,
            clients,
            round,
            calm: AtomicBool::new(false),
            numbers: AtomicU64::new(1),
            links: Mutex::default(),
        }
    }

    /// Ends the connections of a node's clients, as when the path to it is lost.
    pub fn disconnect(&self, node: u64, parting: Parting) {
        for (at, connection) in self.links.lock().values() {
            if *at == node {
                connection.part(parting);
            }
        }
    }

    /// Every client finishes what it is about and begins nothing more.
    pub fn set_calm(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    fn handle_id(&self) -> HandleId {
        HandleId(self.numbers.fetch_add(1, Ordering::Relaxed))
    }
}

/// Writes down what the server must not have done.
struct Telltale {
    around: Arc<Around>,
    client: ClientId,
}

impl Watcher for Telltale {
    fn bad_answer(&self, what: String) {
        self.around.history.tell(self.client, Event::BadAnswer { what });
    }

    fn heard_late(&self, bytes: usize) {
        self.around.history.tell(self.client, Event::HeardLate { bytes });
    }
}
