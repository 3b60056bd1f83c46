//! What fencing came to, with its times: for operators, who want to see that a node was dead or
//! cut off before its opens were given on, and why one that is not still holds them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use parking_lot::Mutex;

/// As many proofs are kept, and as many failures.
const RECORDS_MAX: usize = 64;

/// One fencing that brought a proof. Times are wall-clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FenceRecord {
    /// Who was fenced.
    pub life: NodeLife,
    /// Its process.
    pub pid: u32,
    /// When the proof was asked for.
    pub asked: Duration,
    /// What brought the proof.
    pub means: FenceMeans,
}

/// How the proof was had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FenceMeans {
    /// The process was seen to end, and its lock to drop.
    Process(ProcessEnd),
    /// The host of the incarnation has booted since.
    HostRebooted,
    /// The site's command said so.
    Command(CommandProof),
}

/// When a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProcessEnd {
    /// When it was sent SIGKILL; none if it had ended before.
    pub killed: Option<Duration>,
    /// When its last thread was seen gone.
    pub exited: Option<Duration>,
    /// When its lock was seen free.
    pub lock_dropped: Option<Duration>,
}

/// A run of the site's command that brought a proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandProof {
    /// The program, without its arguments.
    pub program: String,
    pub started: Duration,
    pub ended: Duration,
    /// 0: anything else proves nothing.
    pub exit_status: i32,
    /// Which run it was; those before brought nothing.
    pub attempt: u32,
}

/// Attempts that brought no proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FenceFailure {
    /// Who was to be fenced.
    pub life: NodeLife,
    /// How often it was tried.
    pub attempts: u32,
    /// When the last attempt ended.
    pub last: Duration,
    /// What became of it.
    pub why: String,
}

/// The latest fencings that this process carried out, or tried.
#[derive(Debug, Default)]
pub struct FenceLog {
    records: Mutex<VecDeque<FenceRecord>>,
    failures: Mutex<BTreeMap<NodeLife, FenceFailure>>,
}

impl FenceLog {
    pub(super) fn add(&self, record: FenceRecord) {
        self.failures.lock().remove(&record.life);
        let mut records = self.records.lock();
        if records.len() == RECORDS_MAX {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// An attempt brought no proof.
    pub(super) fn add_failure(&self, life: NodeLife, now: Duration, why: String) {
        let mut failures = self.failures.lock();
        let attempts = failures.get(&life).map_or(0, |failure| failure.attempts) + 1;
        failures.insert(life, FenceFailure { life, attempts, last: now, why });
        if failures.len() > RECORDS_MAX
            && let Some(oldest) = failures.values().min_by_key(|failure| failure.last)
        {
            let oldest = oldest.life;
            failures.remove(&oldest);
        }
    }

    /// Oldest first.
    pub fn records(&self) -> Vec<FenceRecord> {
        self.records.lock().iter().cloned().collect()
    }

    /// Of incarnations that this process has no proof of, by node. Others may have it.
    pub fn failures(&self) -> Vec<FenceFailure> {
        self.failures.lock().values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use holdfast_proto::types::{Incarnation, NodeId};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn life(node: u64) -> NodeLife {
        NodeLife { node: NodeId(node), incarnation: Incarnation(node) }
    }

    #[test]
    fn failures_are_counted_until_there_is_a_proof() {
        let log = FenceLog::default();
        log.add_failure(life(1), SECOND, "one".to_owned());
        log.add_failure(life(1), SECOND * 2, "two".to_owned());
        let failure =
            FenceFailure { life: life(1), attempts: 2, last: SECOND * 2, why: "two".to_owned() };
        assert_eq!(log.failures(), [failure]);
        let means = FenceMeans::HostRebooted;
        log.add(FenceRecord { life: life(1), pid: 1, asked: SECOND, means });
        assert!(log.failures().is_empty());
    }

    #[test]
    fn only_the_latest_are_kept() {
        let log = FenceLog::default();
        for node in 0..RECORDS_MAX as u64 + 9 {
            log.add_failure(life(node), SECOND * (node as u32 + 1), String::new());
        }
        let failures = log.failures();
        assert_eq!((failures.len(), failures[0].life), (RECORDS_MAX, life(9)));
    }
}
