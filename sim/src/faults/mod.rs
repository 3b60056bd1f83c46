//! Carries a plan's faults out at their times. A fault that lasts takes itself back.

mod partitions;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use madsim::task::NodeId as SimId;
use tokio::time::sleep;

use crate::clients::Surroundings;
use crate::plan::{Fault, Target};
use crate::world::World;

/// What faults work on.
pub struct Faults {
    pub world: Arc<World>,
    pub around: Arc<Surroundings>,
    /// Where each client runs.
    pub clients: Vec<SimId>,
    pub at_answer: Arc<AtAnswer>,
}

/// A power cut that waits for a client to hear that something is done.
#[derive(Default)]
pub struct AtAnswer {
    /// Below zero: nothing waits.
    left: AtomicI64,
    down_millis: AtomicI64,
}

impl AtAnswer {
    pub fn new() -> AtAnswer {
        AtAnswer { left: AtomicI64::new(-1), down_millis: AtomicI64::new(0) }
    }

    fn arm(&self, skip: u32, down: Duration) {
        self.down_millis.store(down.as_millis() as i64, Ordering::Relaxed);
        self.left.store(i64::from(skip), Ordering::Relaxed);
    }

    pub fn disarm(&self) {
        self.left.store(-1, Ordering::Relaxed);
    }

    /// A client heard: the power cut, if its moment is now.
    pub fn heard(&self) -> Option<Duration> {
        let left = self.left.load(Ordering::Relaxed);
        if left < 0 {
            return None;
        }
        self.left.store(left - 1, Ordering::Relaxed);
        let down = Duration::from_millis(self.down_millis.load(Ordering::Relaxed) as u64);
        (left == 0).then_some(down)
    }
}

impl Faults {
    /// Runs the schedule.
    pub async fn run(self: Arc<Self>) {
        let faults = self.world.plan.faults.clone();
        for (at, fault) in faults {
            let wait = at.saturating_sub(self.world.tape.now());
            if !wait.is_zero() {
                sleep(wait).await;
            }
            if self.around.is_calm() || self.world.tape.is_over() {
                return;
            }
            self.begin(fault).await;
        }
    }

    async fn begin(self: &Arc<Self>, fault: Fault) {
        let world = &self.world;
        match fault {
            Fault::Freeze { node, lasts } => {
                if let Some(node) = self.target(node).await {
                    world.freeze(node, lasts);
                }
            }
            Fault::FreezeAtGap(freeze) => world.freezer.arm(freeze),
            Fault::Crash { node, power, down } => {
                if let Some(node) = self.target(node).await {
                    world.crash(node, power, down);
                }
            }
            Fault::PowerCut { down } => world.power_cut(down),
            Fault::PowerCutAtAnswer { skip, down } => self.at_answer.arm(skip, down),
            other => self.begin_partition(other).await,
        }
    }

    async fn target(&self, target: Target) -> Option<u64> {
        match target {
            Target::Node(node) => Some(node),
            Target::Leader => self.world.leader().await,
        }
    }
}
