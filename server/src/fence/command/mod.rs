//! The site's fencer: a program that cuts a node off from the storage, or its machine from
//! power.
//!
//! Exit status 0 is the proof, and is believed: a program that says so of a node that can still
//! write cannot be found out, and loses data as if there were no fence at all. Every other end,
//! and no end in time, proves nothing; the node's opens then wait, and it is tried again.
//!
//! Several nodes may run it for the same incarnation, at once and again: it must be repeatable.
//! Within this process one run at a time concerns an incarnation, and a proof is had once.

mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use holdfast_cluster::command::{NodeIdentity, NodeLife};
use holdfast_cluster::ports::{Clock, FenceError};
use holdfast_proto::types::{Guid, NodeId};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::record::{CommandProof, FenceLog, FenceMeans, FenceRecord};
use crate::config::FenceCommand;
use run::{CommandEnd, run};

/// Runs the site's command.
pub struct CommandFencer {
    command: FenceCommand,
    own: NodeId,
    cluster: Guid,
    clock: Arc<dyn Clock>,
    log: Arc<FenceLog>,
    known: Mutex<BTreeMap<NodeLife, Arc<Known>>>,
}

/// What this process knows of one incarnation.
#[derive(Default)]
struct Known {
    proof: OnceCell<()>,
    attempts: AtomicU32,
}

impl CommandFencer {
    /// A fencer of the node `own` of that cluster.
    pub fn new(
        command: FenceCommand,
        own: NodeId,
        cluster: Guid,
        clock: Arc<dyn Clock>,
        log: Arc<FenceLog>,
    ) -> CommandFencer {
        CommandFencer { command, own, cluster, clock, log, known: Mutex::default() }
    }

    /// Returns once the command has proved that the incarnation is cut off.
    ///
    /// # Errors
    /// It did not. May be called again.
    pub async fn fence(&self, life: NodeLife, identity: &NodeIdentity) -> Result<(), FenceError> {
        if life.node == self.own {
            return Err(FenceError::NoProof(life, "a node does not fence itself".to_owned()));
        }
        let known = self.known(life);
        known.proof.get_or_try_init(|| self.try_once(life, identity, &known)).await.copied()
    }

    fn known(&self, life: NodeLife) -> Arc<Known> {
        let mut known = self.known.lock();
        // An earlier life of the node ended before this one joined.
        known.retain(|other, _| other.node != life.node || other.incarnation >= life.incarnation);
        Arc::clone(known.entry(life).or_default())
    }

    async fn try_once(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
        known: &Known,
    ) -> Result<(), FenceError> {
        let attempt = known.attempts.fetch_add(1, Ordering::Relaxed) + 1;
        let started = self.clock.wall();
        let environment = self.environment(life, identity, attempt);
        tracing::warn!(
            node = life.node.0,
            incarnation = life.incarnation.0,
            program = %self.command.program.display(),
            attempt,
            "running the fence command"
        );
        let (end, output) = run(&self.command, &environment).await;
        let ended = self.clock.wall();
        tracing::warn!(
            node = life.node.0,
            incarnation = life.incarnation.0,
            attempt,
            took_ms = u64::try_from(ended.saturating_sub(started).as_millis()).unwrap_or(u64::MAX),
            %end,
            %output,
            "the fence command has ended"
        );
        if end != CommandEnd::Exited(0) {
            let program = self.command.program.display();
            return Err(FenceError::NoProof(life, format!("{program}: {end}; it said: {output}")));
        }
        let program = self.command.program.to_string_lossy().into_owned();
        let proof = CommandProof { program, started, ended, exit_status: 0, attempt };
        self.log.add(FenceRecord {
            life,
            pid: identity.pid,
            asked: started,
            means: FenceMeans::Command(proof),
        });
        Ok(())
    }

    /// What the program is told, all of it documented in `holdfast config check --help`.
    fn environment(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
        attempt: u32,
    ) -> Vec<(&'static str, String)> {
        vec![
            ("HOLDFAST_CLUSTER_ID", self.cluster.to_string()),
            ("HOLDFAST_NODE", life.node.0.to_string()),
            ("HOLDFAST_NODE_NAME", identity.name.clone()),
            ("HOLDFAST_INCARNATION", life.incarnation.0.to_string()),
            ("HOLDFAST_SMB_ADDRESS", identity.smb_address.clone()),
            ("HOLDFAST_PEER_ADDRESS", identity.peer_address.clone()),
            ("HOLDFAST_BOOT_ID", identity.boot_id.clone()),
            ("HOLDFAST_PID", identity.pid.to_string()),
            ("HOLDFAST_PROCESS_START", identity.process_start.to_string()),
            ("HOLDFAST_FENCED_BY", self.own.0.to_string()),
            ("HOLDFAST_ATTEMPT", attempt.to_string()),
            ("HOLDFAST_TIMEOUT_SECONDS", self.timeout().as_secs().to_string()),
        ]
    }

    fn timeout(&self) -> Duration {
        self.command.timeout
    }
}
