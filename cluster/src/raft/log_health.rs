//! Whether this node's log is fit to lead, and what is done when it is not.
//!
//! Three things can be wrong with a log that has not failed. It is *slow*: what was handed to it is
//! not durable for longer than an election takes. Its disk is *low on space*: what must be written
//! still can be, but nothing new should be begun. It is *full*: a write waits for room. A leader for
//! whom one of these holds gives up leadership if another node is known to be fit; whoever leads
//! without room proposes only what ends something; a full node takes no entries, so that the others
//! go on without it. Nothing of this is remembered: it ends with its cause.
//!
//! The log is also kept within bounds here: entries are purged by number by Raft itself, and by
//! bytes from here, never beyond the saved snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use tokio::time::{sleep, timeout};

use super::Raft;
use super::lives::{self, Standing};
use super::node_lease::grants::Grants;
use super::submitter::Submitter;
use crate::command::{Command, NodeLife};
use crate::wal::{Space, Wal, WalError};

/// How often the log is looked at.
const ROUND: Duration = Duration::from_millis(25);
/// How many rounds lie between looks at space and size.
const SPACE_ROUNDS: u32 = 20;
/// How many rounds an heir has to take over.
const HEIR_ROUNDS: u32 = 40;
/// How long Raft may take to hear something.
const TELL_LIMIT: Duration = Duration::from_secs(1);

/// How this node's log is.
pub struct LogHealth {
    wal: Wal,
    slow: AtomicBool,
}

impl LogHealth {
    /// Of an open log.
    pub fn new(wal: Wal) -> Arc<LogHealth> {
        Arc::new(LogHealth { wal, slow: AtomicBool::new(false) })
    }

    /// Why this node should not lead, for people.
    pub fn trouble(&self) -> Option<String> {
        match self.wal.space().trouble() {
            Some(why) => Some(format!("{why}; new state is refused until there is room")),
            None if self.slow.load(Ordering::Acquire) => Some(
                "the log's disk is slow: a write takes longer than an election; another node leads"
                    .to_owned(),
            ),
            None => None,
        }
    }

    /// Whether `command` may be proposed: with room any, without it what ends something.
    pub fn lets_pass(&self, command: &Command) -> bool {
        self.has_room() || only_ends(command)
    }

    /// Whether there is room for more than what must be written.
    pub fn has_room(&self) -> bool {
        self.wal.space() == Space::Ample
    }

    /// Why no entries are taken from the leader, if none are.
    pub fn refuses_entries(&self) -> Option<String> {
        match self.wal.space() {
            Space::Full(why) => Some(why),
            Space::Ample | Space::Low(_) => None,
        }
    }

    /// Resolves when the log has failed for good: the process must end.
    pub async fn failed(&self) -> WalError {
        self.wal.failed().await
    }
}

/// Whether a command makes nothing that lasts. What fences is among them: promises on other nodes
/// wait for it.
fn only_ends(command: &Command) -> bool {
    matches!(
        command,
        Command::LeaveNode { .. }
            | Command::SuspectNode { .. }
            | Command::ClearSuspicion { .. }
            | Command::FenceNode { .. }
            | Command::RemoveShare { .. }
            | Command::RemoveUser { .. }
            | Command::EndSession { .. }
            | Command::FailCreate { .. }
            | Command::ReleaseOpen { .. }
            | Command::CloseOpen { .. }
            | Command::CloseOpens { .. }
            | Command::AckLeaseBreak { .. }
            | Command::WithdrawLease { .. }
            | Command::WithdrawLock { .. }
            | Command::Unlock { .. }
            | Command::CancelWait { .. }
            | Command::EndDuty { .. }
    )
}

/// Looks at the log again and again.
pub struct LogWatch {
    pub health: Arc<LogHealth>,
    pub submitter: Arc<Submitter>,
    pub grants: Arc<Grants>,
    /// A log is slow when something takes longer.
    pub patience: Duration,
    /// The size that the log is to keep to.
    pub log_bytes: u64,
}

/// One request on its way to the disk: how long it takes is how fast the disk is.
struct Probe {
    request: u64,
    rounds: u32,
}

impl LogWatch {
    /// Runs until the node closes.
    pub async fn run(self) {
        let mut probe = None;
        let mut heir_rounds = 0;
        for round in 0u32.. {
            sleep(ROUND).await;
            self.measure(&mut probe);
            if round % SPACE_ROUNDS == 0 {
                self.look_at_space().await;
                self.keep_to_size().await;
            }
            heir_rounds = match self.health.trouble() {
                Some(why) if heir_rounds == 0 => match self.give_up_leadership(&why).await {
                    true => HEIR_ROUNDS,
                    false => 0,
                },
                Some(_) | None => heir_rounds.saturating_sub(1),
            };
        }
    }

    /// Rounds are counted and not time: a process that stood still had no slow disk.
    fn measure(&self, probe: &mut Option<Probe>) {
        let progress = self.health.wal.progress();
        if probe.as_ref().is_some_and(|probe| probe.request <= progress.settled) {
            *probe = None;
        }
        if let Some(probe) = probe {
            probe.rounds += 1;
        } else if progress.settled < progress.requested {
            *probe = Some(Probe { request: progress.requested, rounds: 0 });
        }
        let slow = probe.as_ref().is_some_and(|probe| ROUND * probe.rounds > self.patience);
        if self.health.slow.swap(slow, Ordering::AcqRel) != slow {
            // Who cannot save a vote in time only disturbs by asking for those of others.
            self.raft().runtime_config().elect(!slow);
            match slow {
                true => tracing::warn!("the log's disk is slow: this node does not lead"),
                false => tracing::info!("the log's disk is fast enough again"),
            }
        }
    }

    async fn look_at_space(&self) {
        if let Err(error) = self.health.wal.look_at_space().await {
            tracing::warn!(%error, "how much space is left is not known");
        }
    }

    /// Purges what the log holds beyond its size, and has a snapshot made if that is in the way.
    async fn keep_to_size(&self) {
        let Some(upto) = self.health.wal.purge_for_size(self.log_bytes) else { return };
        let saved = self.raft().metrics().borrow_watched().snapshot.map(|id| id.index());
        let trigger = self.raft().trigger();
        let told = async {
            if saved.is_none_or(|saved| saved < upto) {
                trigger.snapshot().await?;
            }
            trigger.purge_log(upto).await
        };
        if let Ok(Err(fatal)) = timeout(TELL_LIMIT, told).await {
            tracing::debug!(%fatal, "the log is not purged any more");
        }
    }

    /// Lets a fit node lead. False if this node does not lead, or nobody is known to be fit.
    async fn give_up_leadership(&self, why: &str) -> bool {
        if self.raft().as_leader().is_err() {
            return false;
        }
        let Some(heir) = self.heir() else { return false };
        tracing::warn!(%why, heir = heir.node.0, "giving up leadership");
        let trigger = self.raft().trigger();
        let told = timeout(TELL_LIMIT, trigger.transfer_leader(heir.node.0)).await;
        !matches!(told, Ok(Err(_)))
    }

    /// The live node with a fit log that has most of this one.
    fn heir(&self) -> Option<NodeLife> {
        let state = self.submitter.replica.state();
        let metrics = self.raft().metrics().borrow_watched().clone();
        let matched = |life: &NodeLife| {
            metrics
                .replication
                .as_ref()
                .and_then(|all| *all.get(&life.node.0)?)
                .map(|id| id.index())
        };
        lives::all(&state)
            .filter(|(life, standing)| {
                *standing == Standing::Live && life.node != self.submitter.node
            })
            .map(|(life, _)| life)
            .filter(|life| self.grants.is_fit(*life))
            .max_by_key(matched)
    }

    fn raft(&self) -> &Raft {
        &self.submitter.raft
    }
}
