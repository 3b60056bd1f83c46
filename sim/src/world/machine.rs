//! A host with its disks, its clock and at most one process.

use std::sync::{Arc, Weak};
use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use holdfast_cluster::disk::Disk;
use holdfast_cluster::disk::sim::{SimDisk, SimLatency, SimLosses};
use holdfast_cluster::handle::{Cluster, NodeLease};
use holdfast_cluster::ports::Clock;
use holdfast_cluster::raft;
use madsim::runtime::Handle;
use madsim::task::NodeId as SimId;
use parking_lot::Mutex;

use super::clock::SimClock;
use super::{World, address, node};
use crate::plan::Plan;

/// A life as the world knows it: what its process may look at, the world may too.
#[derive(Clone)]
pub struct Life {
    pub life: NodeLife,
    pub member: Arc<raft::Node>,
    pub lease: Arc<NodeLease>,
}

#[derive(Default)]
struct State {
    up: bool,
    boots: u64,
    /// The present process's life, once it has joined.
    life: Option<Life>,
    /// The last one that there was.
    last: Option<NodeLife>,
}

pub struct Machine {
    pub number: u64,
    id: SimId,
    pub clock: SimClock,
    log_disk: SimDisk,
    kv_disk: SimDisk,
    state: Mutex<State>,
}

impl Machine {
    pub fn new(number: u64, plan: &Plan, handle: &Handle, world: Weak<World>) -> Machine {
        let sim = handle
            .create_node()
            .name(format!("node{number}"))
            .ip(address::node_ip(number))
            .init(move || {
                let world = world.clone();
                async move {
                    // The first time a node starts is the world's to choose.
                    if let Some(world) =
                        world.upgrade().filter(|world| world.machine(number).is_up())
                    {
                        node::run(world, number).await;
                    }
                }
            })
            .build();
        let quick = SimLatency { slow_percent: 0, ..SimLatency::default() };
        let seed = plan.seed.wrapping_mul(31).wrapping_add(number);
        Machine {
            number,
            id: sim.id(),
            clock: SimClock {
                since: Duration::from_secs(1_000 * number),
                skew: plan.skew[number as usize - 1],
            },
            log_disk: SimDisk::new(seed, plan.log_disk.clone()),
            kv_disk: SimDisk::new(seed ^ 0xd15c, quick),
            state: Mutex::default(),
        }
    }

    pub fn id(&self) -> SimId {
        self.id
    }

    /// The log's and the key-value store's disk, as this boot sees them.
    pub fn boot_disks(&self) -> (Arc<dyn Disk>, Arc<dyn Disk>) {
        (self.log_disk.boot(), self.kv_disk.boot())
    }

    pub fn is_up(&self) -> bool {
        self.state.lock().up
    }

    pub fn boots(&self) -> u64 {
        self.state.lock().boots
    }

    /// Starts a process.
    pub fn start(&self, handle: &Handle) {
        let mut state = self.state.lock();
        if !state.up {
            state.up = true;
            state.boots += 1;
            drop(state);
            handle.restart(self.id);
        }
    }

    /// Ends the process at once. False if there was none.
    pub fn stop(&self, handle: &Handle, power: bool) -> bool {
        let mut state = self.state.lock();
        if !state.up {
            return false;
        }
        state.up = false;
        state.life = None;
        drop(state);
        handle.kill(self.id);
        for disk in [&self.log_disk, &self.kv_disk] {
            if power {
                disk.crash();
            } else {
                disk.stop();
            }
        }
        true
    }

    /// The process has joined.
    pub fn joined(&self, member: Arc<raft::Node>) {
        let life = member.life();
        let lease = member.node_lease().clone();
        let mut state = self.state.lock();
        state.last = Some(life);
        state.life = Some(Life { life, member, lease });
    }

    pub fn life(&self) -> Option<Life> {
        self.state.lock().life.clone()
    }

    /// The present life or the last one.
    pub fn last_life(&self) -> Option<NodeLife> {
        self.state.lock().last
    }

    pub fn member(&self) -> Option<Arc<raft::Node>> {
        self.life().map(|life| life.member)
    }

    /// True if the process of that life runs, or stands still. Others may hear of a join before
    /// the process itself does.
    pub fn runs(&self, life: NodeLife) -> bool {
        let state = self.state.lock();
        match &state.life {
            Some(present) => present.life == life,
            None => state.up && state.last.is_none_or(|last| last.incarnation < life.incarnation),
        }
    }

    /// Whether the node lease of that life holds now, by this machine's clock, and whether the
    /// node knows that it is fenced.
    pub fn rights(&self, life: NodeLife) -> Option<(bool, bool)> {
        let present = self.life().filter(|present| present.life == life)?;
        Some((present.lease.holds(self.clock.boot()), present.lease.is_fenced()))
    }

    pub fn unsynced_losses(&self) -> u64 {
        let lost = |losses: SimLosses| {
            losses.sectors_lost
                + losses.sectors_torn
                + losses.lengths_lost
                + losses.names_lost
                + losses.names_returned
        };
        lost(self.log_disk.losses()) + lost(self.kv_disk.losses())
    }
}
