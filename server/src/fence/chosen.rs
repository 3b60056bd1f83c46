//! The fencer of one node: its host's, the site's command, or one after the other.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_cluster::command::{FenceProof, NodeIdentity, NodeLife};
use holdfast_cluster::ports::{Clock, FenceError, Fencer};

use super::command::CommandFencer;
use super::record::FenceLog;
use super::same_host::SameHostFencer;
use crate::config::FenceUse;

/// What stands behind the fencer port of a real node.
pub struct NodeFencer {
    same_host: SameHostFencer,
    command: Option<CommandFencer>,
    used: FenceUse,
    clock: Arc<dyn Clock>,
    log: Arc<FenceLog>,
}

impl NodeFencer {
    /// Without a command only nodes of this host can be fenced.
    pub fn new(
        same_host: SameHostFencer,
        command: Option<CommandFencer>,
        used: FenceUse,
        clock: Arc<dyn Clock>,
        log: Arc<FenceLog>,
    ) -> NodeFencer {
        NodeFencer { same_host, command, used, clock, log }
    }

    async fn try_once(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceProof, FenceError> {
        let Some(command) = &self.command else {
            return self.same_host.fence(life, identity).await;
        };
        if self.used == FenceUse::Process {
            match self.same_host.fence(life, identity).await {
                Ok(proof) => return Ok(proof),
                // Another host's, or one that hangs in the kernel: the site has a longer arm.
                Err(error) => tracing::info!(%error, "the fence command is asked"),
            }
        }
        command.fence(life, identity).await?;
        Ok(FenceProof::Command { exit_status: 0 })
    }
}

#[async_trait]
impl Fencer for NodeFencer {
    fn prepare(&self, life: NodeLife, identity: &NodeIdentity) {
        self.same_host.prepare(life, identity);
    }

    async fn ended(&self, life: NodeLife, identity: &NodeIdentity) {
        self.same_host.ended(life, identity).await;
    }

    async fn fence(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceProof, FenceError> {
        let tried = self.try_once(life, identity).await;
        if let Err(FenceError::NotMine(_, why) | FenceError::NoProof(_, why)) = &tried {
            self.log.add_failure(life, self.clock.wall(), why.clone());
        }
        tried
    }
}
