//! The site's fencer: kills a process and waits until nothing of it is in flight, as on one host;
//! or has the storage refuse it, and lets the zombie live.

use std::sync::Weak;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::command::{FenceProof, NodeIdentity, NodeLife};
use holdfast_cluster::ports::{FenceError, Fencer};
use tokio::time::sleep;

use super::World;
use crate::plan::Fencing;

/// How often it looks whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long the service manager waits before it starts a killed process again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

pub struct SimFencer {
    world: Weak<World>,
}

impl SimFencer {
    pub fn new(world: Weak<World>) -> SimFencer {
        SimFencer { world }
    }
}

#[async_trait]
impl Fencer for SimFencer {
    fn prepare(&self, _life: NodeLife, _identity: &NodeIdentity) {}

    async fn ended(&self, life: NodeLife, _identity: &NodeIdentity) {
        loop {
            {
                let Some(world) = self.world.upgrade() else { return };
                // Only who shares a host with a process sees it end.
                let sees = world.plan.fencing == Fencing::Kill;
                if sees && !world.machine(life.node.0).runs(life) {
                    return;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn fence(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceProof, FenceError> {
        let gone = || FenceError::NotMine(life, "the world is gone".to_owned());
        let world = self.world.upgrade().ok_or_else(gone)?;
        world.tape.count("fences", 1);
        sleep(world.plan.fence_takes).await;
        match world.plan.fencing {
            Fencing::Storage => {
                world.control.fence(life.node, life.incarnation);
                world.tape.fault(format!("the storage refuses {life:?} from now on"));
                Ok(FenceProof::Command { exit_status: 0 })
            }
            Fencing::Kill => {
                if world.machine(life.node.0).runs(life) {
                    world.tape.fault(format!("{life:?} is killed by a fencer"));
                    world.tape.count("killed_by_fencer", 1);
                    world.crash(life.node.0, false, AGAIN_AFTER);
                }
                while !world.is_drained(life) {
                    sleep(Duration::from_millis(1)).await;
                }
                Ok(FenceProof::ProcessEnded { pid: identity.pid, lock_dropped: true })
            }
        }
    }
}
