//! One simulated world: machines with clocks and disks, the network between them, the storage that
//! they share, and what watches them. The server in it is the real one.

pub mod address;
mod clock;
mod fencer;
mod freezer;
mod machine;
mod network;
mod node;
mod observer;
mod random;
mod storage;
mod supervisor;

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use holdfast_cluster::disk::sim::SimRandom;
use holdfast_proto::types::VolumeId;
use holdfast_server::vfs::memory::{MemoryVolume, StorageControl};
use madsim::runtime::Handle;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::event::Event;
use crate::plan::Plan;
use crate::tape::Tape;
pub use freezer::Freezer;
pub use machine::Machine;
pub use network::Network;
use supervisor::Task;

/// The one volume.
pub const VOLUME: VolumeId = VolumeId(1);

/// The world. Shared by everything in it; nothing in it is real.
pub struct World {
    pub plan: Plan,
    pub tape: Arc<Tape>,
    pub handle: Handle,
    pub machines: Vec<Machine>,
    pub network: Network,
    pub freezer: Freezer,
    pub volume: MemoryVolume,
    pub control: StorageControl,
    /// What the supervisor is to do.
    tasks: mpsc::UnboundedSender<Task>,
    /// For what is drawn while the world runs, by faults.
    random: Mutex<SimRandom>,
}

impl World {
    /// Makes the world and starts its nodes.
    pub async fn begin(plan: Plan, tape: Arc<Tape>) -> Arc<World> {
        let handle = Handle::current();
        let (tasks, tasks_rx) = mpsc::unbounded_channel();
        let world = Arc::new_cyclic(|world| {
            let (volume, control) = storage::make(&plan, &tape, &handle, world.clone());
            let machines = (1..=plan.nodes)
                .map(|number| Machine::new(number, &plan, &handle, world.clone()))
                .collect();
            World {
                network: Network::new(&handle),
                freezer: Freezer::default(),
                machines,
                volume,
                control,
                tasks,
                random: Mutex::new(SimRandom::new(plan.seed ^ 0xfa17)),
                plan,
                tape,
                handle,
            }
        });
        observer::watch(&world);
        freezer::install(&world);
        node::make_folders(&world).await;
        tokio::spawn(supervisor::run(Arc::downgrade(&world), tasks_rx));
        for machine in &world.machines {
            machine.start(&world.handle);
        }
        world
    }

    /// A machine by its number, from 1.
    pub fn machine(&self, number: u64) -> &Machine {
        &self.machines[number as usize - 1]
    }

    /// The machine on which the present task runs, if it is one of a node.
    pub fn here(&self) -> Option<&Machine> {
        let id = madsim::plugin::node();
        self.machines.iter().find(|machine| machine.id() == id)
    }

    pub fn below(&self, bound: u64) -> u64 {
        self.random.lock().below(bound)
    }

    /// Ends a node's process; with `power`, its host. It comes up again after `down`.
    pub fn crash(&self, number: u64, power: bool, down: Duration) {
        let machine = self.machine(number);
        if !machine.stop(&self.handle, power) {
            return;
        }
        self.freezer.forget(number);
        self.tape.fault(format!("node {number} ends, power {power}, back after {down:?}"));
        self.tape.count("crashes", 1);
        // The supervisor lives as long as the world.
        let _ = self.tasks.send(Task::Start { node: number, after: down });
    }

    /// All nodes and the storage lose power.
    pub fn power_cut(&self, down: Duration) {
        self.tape.fault("everything loses power".to_owned());
        self.tape.count("power_cuts", 1);
        for machine in &self.machines {
            let skew = Duration::from_millis(self.below(400));
            self.crash(machine.number, true, down + skew);
        }
        let mut random = SimRandom::new(self.below(u64::MAX));
        self.control.power_cut(|| random.percent(50));
        self.tape.record(Event::StoragePowerCut);
    }

    /// A node stands still for a while.
    pub fn freeze(&self, number: u64, lasts: Duration) {
        let machine = self.machine(number);
        if machine.is_up() && self.freezer.begin(number) {
            self.tape.fault(format!("node {number} stands still for {lasts:?}"));
            self.tape.count("freezes", 1);
            self.handle.pause(machine.id());
            let _ = self.tasks.send(Task::Thaw { node: number, after: lasts });
        }
    }

    /// Goes on after a freeze.
    fn thaw(&self, number: u64) {
        if self.freezer.end(number, self.tape.now()) {
            self.handle.resume(self.machine(number).id());
            self.tape.fault(format!("node {number} goes on"));
        }
    }

    /// Ends all faults: everything runs and reaches everything.
    pub async fn heal(&self) {
        self.network.heal();
        self.freezer.disarm();
        for machine in &self.machines {
            self.thaw(machine.number);
        }
        for machine in &self.machines {
            while !machine.is_up() {
                sleep(Duration::from_millis(5)).await;
            }
        }
        self.tape.fault("healed".to_owned());
    }

    /// Runs something on no machine: what stands outside ends with nobody.
    pub fn on_the_outside(&self, work: impl Future<Output = ()> + Send + 'static) {
        // The supervisor lives as long as the world.
        let _ = self.tasks.send(Task::Run(Box::pin(work)));
    }

    /// Who leads, if anybody says so.
    pub async fn leader(&self) -> Option<u64> {
        for machine in &self.machines {
            if let Some(member) = machine.member()
                && let Some(leader) = member.leader().await
                && self.machine(leader.0).is_up()
            {
                return Some(leader.0);
            }
        }
        None
    }

    /// Nothing of an incarnation is on its way to the storage, and nothing of it will be.
    fn is_drained(&self, life: NodeLife) -> bool {
        self.control.in_flight(life.node, life.incarnation) == 0
    }

    /// What the log disks lost so far.
    pub fn unsynced_losses(&self) -> u64 {
        self.machines.iter().map(Machine::unsynced_losses).sum()
    }
}
