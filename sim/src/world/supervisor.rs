//! What starts processes again and lets frozen ones go on: outside all machines.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::World;
use crate::plan::Fencing;

/// Something to be done later.
pub enum Task {
    Start {
        node: u64,
        after: Duration,
    },
    Thaw {
        node: u64,
        after: Duration,
    },
    /// Anything else.
    Run(BoxFuture<'static, ()>),
    /// The node's own watchdog, or its end, asks for a new process.
    Again {
        node: u64,
        boot: u64,
        why: String,
    },
}

/// How long the service manager waits before it starts a process again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

pub async fn run(world: Weak<World>, mut tasks: mpsc::UnboundedReceiver<Task>) {
    while let Some(task) = tasks.recv().await {
        let Some(world) = world.upgrade() else { return };
        match task {
            Task::Start { node, after } => {
                tokio::spawn(start(world, node, after));
            }
            Task::Thaw { node, after } => {
                tokio::spawn(async move {
                    sleep(after).await;
                    world.thaw(node);
                });
            }
            Task::Run(work) => {
                tokio::spawn(work);
            }
            Task::Again { node, boot, why } => {
                if world.machine(node).boots() == boot {
                    world.tape.fault(format!("node {node} ended itself: {why}"));
                    world.tape.count("ended_themselves", 1);
                    world.crash(node, false, AGAIN_AFTER);
                }
            }
        }
    }
}

/// A process may start once nothing of the one before it can reach the storage any more: a real
/// host waits for the system calls of the dead, a storage that fences refuses them.
async fn start(world: Arc<World>, node: u64, after: Duration) {
    sleep(after).await;
    let machine = world.machine(node);
    if let Some(last) = machine.last_life() {
        match world.plan.fencing {
            Fencing::Storage => world.control.fence(last.node, last.incarnation),
            Fencing::Kill => {
                while !world.is_drained(last) {
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
    machine.start(&world.handle);
}
