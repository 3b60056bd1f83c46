//! Room on the disks.

use super::finding::{Finding, bytes};

/// With less than this a node refuses new opens and locks, and lets another one lead.
const LOG_NEEDS: u64 = 64 << 20;
/// What a log and its snapshots take as they grow.
const LOG_GROWS: u64 = 300 << 20;
/// Of a volume: clients are refused soon.
const VOLUME_LOW: u64 = 1 << 30;

/// Judges the room for a node's log.
pub fn judge_log(free: u64) -> Finding {
    let finding = Finding::ok("log: space", format!("{} free", bytes(free)));
    if free < LOG_NEEDS {
        return finding.fail(
            format!("below {} a node refuses new opens, locks and settings", bytes(LOG_NEEDS)),
            "make room on the disk of the node's folder",
        );
    }
    if free < LOG_NEEDS + LOG_GROWS {
        return finding.warn(
            format!("a log takes about {} as it grows", bytes(LOG_GROWS)),
            "make room on the disk of the node's folder before it is needed",
        );
    }
    finding
}

/// Judges the room on a volume. `what`: «volume 1».
pub fn judge_volume(what: &str, free: u64, total: u64) -> Finding {
    let shown = format!("{} of {} free", bytes(free), bytes(total));
    let finding = Finding::ok(format!("{what}: space"), shown);
    if free == 0 {
        return finding.fail("clients cannot write", "make room");
    }
    if free < VOLUME_LOW || free < total / 50 {
        return finding.warn("clients will be refused soon", "make room");
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn room_is_judged() {
        assert_eq!(judge_log(10 << 30).level, Level::Ok);
        assert_eq!(judge_log(100 << 20).level, Level::Warn);
        assert_eq!(judge_log(63 << 20).level, Level::Fail);
        assert_eq!(judge_volume("v", 500 << 30, 1 << 40).level, Level::Ok);
        assert_eq!(judge_volume("v", 500 << 20, 1 << 40).level, Level::Warn);
        assert_eq!(judge_volume("v", 10 << 30, 1 << 40).level, Level::Warn, "one in a hundred");
        assert_eq!(judge_volume("v", 0, 1 << 40).level, Level::Fail);
    }
}
