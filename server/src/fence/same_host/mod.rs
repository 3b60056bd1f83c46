//! The fencer of nodes that share a host: it ends a node's process and sees that it is gone.
//!
//! A process whose last thread has left the kernel issues no system call any more, so nothing of
//! it can still reach the storage. Two witnesses say so: the pidfd, opened while the node was
//! known to live, and the lock of that life, which the kernel drops as it tears the process down.
//! Both are asked for; a process that had ended before anybody looked leaves only the second.
//!
//! What cannot be seen from here (another host, another pid namespace, a lock file that is gone)
//! brings no proof. The cluster then waits, or the node joins again, which proves it too.

mod evidence;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_cluster::command::{FenceProof, NodeIdentity, NodeLife};
use holdfast_cluster::ports::{Clock, FenceError, Fencer};
use parking_lot::Mutex;

use super::process::Process;
use super::record::{FenceLog, FenceMeans, FenceRecord, ProcessEnd};
use evidence::Evidence;

/// How long a killed process may take to go. Storage that hangs in the kernel holds it up.
const EXIT_WAIT: Duration = Duration::from_secs(5);
/// How long the lock may take to drop after the exit was seen.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// How often a lock is looked at while its drop is awaited.
const LOCK_POLL: Duration = Duration::from_millis(2);
/// How often the lock of a living node is looked at, where its process cannot be watched.
const LIVING_POLL: Duration = Duration::from_millis(50);

/// Ends nodes of the same host.
pub struct SameHostFencer {
    boot_id: String,
    clock: Arc<dyn Clock>,
    log: Arc<FenceLog>,
    known: Mutex<BTreeMap<NodeLife, Arc<Evidence>>>,
}

impl SameHostFencer {
    /// A fencer for the host whose boot id is `boot_id`.
    pub fn new(boot_id: String, clock: Arc<dyn Clock>, log: Arc<FenceLog>) -> SameHostFencer {
        SameHostFencer { boot_id, clock, log, known: Mutex::default() }
    }

    fn is_here(&self, identity: &NodeIdentity) -> bool {
        identity.boot_id == self.boot_id
    }

    /// What was kept since the join, or what can still be had now.
    fn evidence(&self, life: NodeLife, identity: &NodeIdentity) -> Arc<Evidence> {
        let mut known = self.known.lock();
        if let Some(evidence) = known.get(&life) {
            return Arc::clone(evidence);
        }
        // An earlier life of the node ended before this one joined.
        known.retain(|other, _| other.node != life.node || other.incarnation > life.incarnation);
        let evidence = Arc::new(Evidence::gather(identity));
        known.insert(life, Arc::clone(&evidence));
        evidence
    }

    /// The process is killed and both witnesses are heard.
    async fn end_process(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceRecord, FenceError> {
        let no_proof = |what: String| FenceError::NoProof(life, what);
        if identity.pid == std::process::id() {
            return Err(no_proof("a node does not fence itself".to_owned()));
        }
        let evidence = self.evidence(life, identity);
        let asked = self.clock.wall();
        let mut end = ProcessEnd::default();
        match &evidence.process {
            // It ended by itself, or another fencer was faster.
            Some(process) if process.is_gone() => end.exited = Some(self.clock.wall()),
            Some(process) => {
                process
                    .kill()
                    .map_err(|error| no_proof(format!("kill of pid {}: {error}", identity.pid)))?;
                end.killed = Some(self.clock.wall());
                tokio::time::timeout(EXIT_WAIT, process.exited())
                    .await
                    .map_err(|_| {
                        no_proof(format!("pid {} was killed and is not gone yet", identity.pid))
                    })?
                    .map_err(|error| no_proof(format!("watching pid {}: {error}", identity.pid)))?;
                end.exited = Some(self.clock.wall());
            }
            None => {
                tracing::info!(node = life.node.0, pid = identity.pid, "no such process any more")
            }
        }
        self.see_lock_drop(&evidence, identity).await.map_err(no_proof)?;
        end.lock_dropped = Some(self.clock.wall());
        let means = FenceMeans::Process(end);
        let record = FenceRecord { life, pid: identity.pid, asked, means };
        announce(life, identity.pid, asked, end);
        Ok(record)
    }

    async fn see_lock_drop(
        &self,
        evidence: &Evidence,
        identity: &NodeIdentity,
    ) -> Result<(), String> {
        let wait = async {
            loop {
                match evidence.lock_is_free() {
                    Ok(true) => return Ok(()),
                    Ok(false) => tokio::time::sleep(LOCK_POLL).await,
                    Err(error) => return Err(format!("{}: {error}", identity.lock_path)),
                }
            }
        };
        match tokio::time::timeout(LOCK_WAIT, wait).await {
            Ok(seen) => seen,
            Err(_) => Err(format!(
                "{} is still locked: the process lives where this node cannot reach it",
                identity.lock_path
            )),
        }
    }
}

fn announce(life: NodeLife, pid: u32, asked: Duration, end: ProcessEnd) {
    tracing::warn!(
        node = life.node.0,
        incarnation = life.incarnation.0,
        pid,
        asked_ms = millis(Some(asked)),
        killed_ms = millis(end.killed),
        exited_ms = millis(end.exited),
        lock_dropped_ms = millis(end.lock_dropped),
        "fence proof: the process has ended and its lock has dropped"
    );
}

/// Milliseconds since 1970; 0 where it did not happen.
fn millis(time: Option<Duration>) -> u64 {
    time.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[async_trait]
impl Fencer for SameHostFencer {
    fn prepare(&self, life: NodeLife, identity: &NodeIdentity) {
        if !self.is_here(identity) {
            return;
        }
        let evidence = self.evidence(life, identity);
        tracing::debug!(
            node = life.node.0,
            incarnation = life.incarnation.0,
            pid = identity.pid,
            process = evidence.process.is_some(),
            lock = evidence.has_lock(),
            "the node's process and lock are watched"
        );
    }

    async fn ended(&self, life: NodeLife, identity: &NodeIdentity) {
        if !self.is_here(identity) || identity.pid == std::process::id() {
            return std::future::pending().await;
        }
        let evidence = self.evidence(life, identity);
        tokio::select! {
            biased;
            () = exit_of(evidence.process.as_ref()) => {}
            () = drop_of_lock(&evidence) => {}
        }
        tracing::info!(
            node = life.node.0,
            incarnation = life.incarnation.0,
            pid = identity.pid,
            "the node's process has ended"
        );
    }

    async fn fence(
        &self,
        life: NodeLife,
        identity: &NodeIdentity,
    ) -> Result<FenceProof, FenceError> {
        if self.is_here(identity) {
            self.log.add(self.end_process(life, identity).await?);
            return Ok(FenceProof::ProcessEnded { pid: identity.pid, lock_dropped: true });
        }
        let asked = self.clock.wall();
        match evidence::of_earlier_boot(identity) {
            Ok(()) => {
                let means = FenceMeans::HostRebooted;
                self.log.add(FenceRecord { life, pid: identity.pid, asked, means });
                tracing::warn!(node = life.node.0, "fence proof: this host has booted since");
                Ok(FenceProof::HostRebooted)
            }
            Err(what) => Err(FenceError::NotMine(life, what)),
        }
    }
}

/// Never, where the process cannot be watched.
async fn exit_of(process: Option<&Process>) {
    match process {
        Some(process) => {
            if let Err(error) = process.exited().await {
                tracing::warn!(%error, "a node's process cannot be watched");
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}

/// Never, where there is no lock to look at.
async fn drop_of_lock(evidence: &Evidence) {
    loop {
        match evidence.lock_is_free() {
            Ok(true) => return,
            Ok(false) => tokio::time::sleep(LIVING_POLL).await,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
