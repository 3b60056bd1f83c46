//! What fencing came to, with its times: for operators, who want to see that a node was dead
//! before its opens were given on.

use std::collections::VecDeque;
use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use parking_lot::Mutex;

/// As many as are kept.
const RECORDS_MAX: usize = 64;

/// One fencing. Times are wall-clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FenceRecord {
    /// Who was fenced.
    pub life: NodeLife,
    /// Its process.
    pub pid: u32,
    /// When the proof was asked for.
    pub asked: Duration,
    /// When the process was sent SIGKILL; none if it had ended before.
    pub killed: Option<Duration>,
    /// When its last thread was seen gone.
    pub exited: Option<Duration>,
    /// When its lock was seen free.
    pub lock_dropped: Option<Duration>,
}

impl FenceRecord {
    pub(super) fn begin(life: NodeLife, pid: u32, asked: Duration) -> FenceRecord {
        FenceRecord { life, pid, asked, killed: None, exited: None, lock_dropped: None }
    }
}

/// The latest fencings that this process carried out.
#[derive(Debug, Default)]
pub struct FenceLog {
    records: Mutex<VecDeque<FenceRecord>>,
}

impl FenceLog {
    pub(super) fn add(&self, record: FenceRecord) {
        let mut records = self.records.lock();
        if records.len() == RECORDS_MAX {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// Oldest first.
    pub fn records(&self) -> Vec<FenceRecord> {
        self.records.lock().iter().copied().collect()
    }
}
