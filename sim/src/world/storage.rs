//! The storage that all nodes share, on a node of its own: what was sent to it happens, whether or
//! not its sender lives. Every submission and every effect is recorded.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::BoxFuture;
use holdfast_cluster::command::NodeLife;
use holdfast_cluster::disk::sim::SimRandom;
use holdfast_cluster::gap::Gap;
use holdfast_proto::types::FileTime;
use holdfast_server::vfs::memory::{
    Apply, Dropped, Latency, MemoryVolume, Observer, Operation, Queued, StorageControl, Submitted,
    World as StorageWorld,
};
use holdfast_server::vfs::{Issuer, VfsError};
use madsim::runtime::Handle;

use super::{VOLUME, World, address};
use crate::event::{By, Event, StorageOp};
use crate::plan::Plan;
use crate::tape::Tape;

/// Room for data.
const CAPACITY: u64 = 1 << 30;
/// The storage's wall clock when the world begins.
const BEGIN: u64 = 134_000_000_000_000_000;

/// Makes the storage and starts its service.
pub fn make(
    plan: &Plan,
    tape: &Arc<Tape>,
    handle: &Handle,
    world: Weak<World>,
) -> (MemoryVolume, StorageControl) {
    let clock = Arc::new(|| {
        FileTime(BEGIN + madsim::time::TimeHandle::current().elapsed().as_nanos() as u64 / 100)
    });
    let (queued, service) = Queued::new(clock, Arc::new(|_| None));
    let mut random = SimRandom::new(plan.seed ^ 0x5702_a6e0);
    let (least, most) = plan.storage;
    let (slow_one_in, slow) = (plan.slow_storage_one_in, plan.slow_storage);
    let draw = move |_: &Submitted| {
        let spread = (most - least).as_micros() as u64;
        let mut until_applied = least + Duration::from_micros(random.below(spread + 1));
        if random.below(slow_one_in) == 0 {
            until_applied += slow;
        }
        let until_answered = Duration::from_micros(random.below(1_000));
        Latency { until_applied, until_answered }
    };
    let node = handle.create_node().name("storage").ip(address::storage_ip()).build();
    node.spawn(service.run(draw));
    let watched = Watched { inner: queued, tape: tape.clone(), world };
    let volume = MemoryVolume::in_world(VOLUME, CAPACITY, Arc::new(watched));
    let control = volume.control();
    control.observe(Arc::new(Effects { tape: tape.clone() }));
    (volume, control)
}

/// The queue, with a look at what goes into it.
struct Watched {
    inner: Queued,
    tape: Arc<Tape>,
    world: Weak<World>,
}

impl StorageWorld for Watched {
    fn now(&self) -> FileTime {
        self.inner.now()
    }

    fn submit(&self, submitted: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        if let Some(world) = self.world.upgrade() {
            let by = by(submitted.by);
            let node = by.life.node.0;
            let rights = match node {
                0 => None,
                node => world.machine(node).rights(by.life),
            };
            // Before it has joined a node has no lease to be held to.
            let lease_held = rights.is_none_or(|(held, _)| held);
            let excused = world.freezer.excuses(node, Gap::GateToStorage, self.tape.now());
            let (number, op) = (submitted.number, op(&submitted.operation));
            self.tape.record(Event::Submitted { number, by, op, lease_held, excused });
        }
        self.inner.submit(submitted, apply)
    }

    fn fault(&self, submitted: &Submitted) -> Option<VfsError> {
        self.inner.fault(submitted)
    }
}

/// Records what the storage does.
struct Effects {
    tape: Arc<Tape>,
}

impl Observer for Effects {
    fn applied(&self, submitted: &Submitted, result: Result<(), &VfsError>, _at: FileTime) {
        let (number, by, op) = (submitted.number, by(submitted.by), op(&submitted.operation));
        self.tape.record(Event::Applied { number, by, op, ok: result.is_ok() });
    }

    fn dropped(&self, submitted: &Submitted, why: Dropped, _at: FileTime) {
        let why = match why {
            Dropped::Fenced => "fenced",
            Dropped::PowerCut => "power_cut",
            Dropped::Fault => "fault",
        };
        self.tape.record(Event::Dropped { number: submitted.number, by: by(submitted.by), why });
    }
}

fn by(issuer: Issuer) -> By {
    By { life: NodeLife { node: issuer.node, incarnation: issuer.incarnation }, open: issuer.open }
}

fn op(operation: &Operation) -> StorageOp {
    match operation {
        Operation::Look | Operation::Open { .. } => StorageOp::Look,
        Operation::Read { key, offset, len } => {
            StorageOp::Read { file: *key, offset: *offset, length: u64::from(*len) }
        }
        Operation::Write { key, offset, data, .. } => {
            StorageOp::Write { file: *key, offset: *offset, length: data.len() as u64 }
        }
        Operation::Resize { key, .. } | Operation::Overwrite { key } => {
            StorageOp::Resize { file: *key }
        }
        Operation::Create { name, .. } => StorageOp::Named { file: None, name: name.clone() },
        Operation::PutInPlace { key, name, .. } => {
            StorageOp::Named { file: Some(*key), name: name.clone() }
        }
        Operation::Remove { key, name, .. } => {
            StorageOp::Removed { file: *key, name: name.clone() }
        }
        _ => StorageOp::Change,
    }
}
