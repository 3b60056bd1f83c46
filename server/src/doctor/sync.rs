//! Whether a sync means anything on a disk, and what it costs.
//!
//! What a client is told is on a log that was synced, and on a volume that was. A disk that
//! answers a sync from a volatile cache loses both at a power cut, and nothing but its speed shows
//! it; one that takes long makes every create, lock and close wait, and in the end lets leaders
//! lose their office.

use std::io;
use std::time::Duration;

use holdfast_cluster::disk::Disk;

use super::finding::{Finding, millis};
use crate::ports::Clock;

/// What one sync covers.
const BLOCK: usize = 4096;
/// Blocks of the file that is written; overwritten in turn, as a log reuses its segments.
const BLOCKS: u64 = 256;
/// The most syncs, and the most time for them.
const SYNCS_MAX: usize = 200;
const TIME_MAX: Duration = Duration::from_secs(3);
/// Fewer say nothing about the slowest in a hundred.
const SYNCS_MIN: usize = 8;
const NAME: &str = "doctor-sync";

/// No storage makes anything stable in less: the fastest with capacitors take about twice as long.
const IMPOSSIBLE: Duration = Duration::from_micros(10);
/// No disk empties a volatile write cache in less.
const FLUSH_MIN: Duration = Duration::from_micros(80);
/// Above this every create and lock is felt.
const SLOW: Duration = Duration::from_millis(20);

/// What was measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncFigures {
    /// How long each sync of 4 KiB took, shortest first.
    pub syncs: Vec<Duration>,
}

impl SyncFigures {
    /// The sync that so many in a thousand are not slower than; zero without any.
    pub fn permille(&self, permille: usize) -> Duration {
        let at = (self.syncs.len().saturating_sub(1) * permille).div_ceil(1000);
        self.syncs.get(at).copied().unwrap_or_default()
    }
}

/// What the figures are judged against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncLimits {
    /// The block device says that it has a volatile cache.
    pub volatile_cache: bool,
    /// A log that owes a sync for longer makes its leader hand over; none for a volume.
    pub election: Option<Duration>,
}

/// Writes and syncs, and removes what it wrote. Blocks if the disk does.
///
/// # Errors
/// The disk's.
pub async fn probe(disk: &dyn Disk, clock: &dyn Clock) -> io::Result<SyncFigures> {
    let file = disk.create(NAME).await?;
    let measured = async {
        file.set_len(BLOCK as u64 * BLOCKS).await?;
        file.sync_data().await?;
        let (begun, mut syncs) = (clock.boot(), Vec::with_capacity(SYNCS_MAX));
        while syncs.len() < SYNCS_MAX {
            let number = syncs.len() as u64;
            let block = [number as u8 ^ 0x5a; BLOCK];
            file.write_at(number % BLOCKS * BLOCK as u64, &block).await?;
            let before = clock.boot();
            file.sync_data().await?;
            let after = clock.boot();
            syncs.push(after.saturating_sub(before));
            if after.saturating_sub(begun) > TIME_MAX && syncs.len() >= SYNCS_MIN {
                break;
            }
        }
        io::Result::Ok(syncs)
    };
    let measured = measured.await;
    let removed = disk.remove(NAME).await;
    let mut syncs = measured?;
    removed?;
    syncs.sort_unstable();
    Ok(SyncFigures { syncs })
}

/// Judges a disk's syncs. `what`: «log», «volume 1».
pub fn judge(what: &str, figures: &SyncFigures, limits: &SyncLimits) -> Finding {
    let (median, slow) = (figures.permille(500), figures.permille(990));
    let finding = Finding::ok(
        format!("{what}: sync"),
        format!(
            "median {}, p99 {}, {} of 4 KiB",
            millis(median),
            millis(slow),
            figures.syncs.len()
        ),
    );
    const CACHE: &str = "let the disk, its controller or its hypervisor pass flushes on (no \
        cache=unsafe, no nobarrier, no libeatmydata), or give it a write cache that is protected";
    if median < IMPOSSIBLE {
        return finding.fail(
            "nothing is made stable so fast: syncs are answered from memory, and a power cut \
             loses what clients were told is safe",
            CACHE,
        );
    }
    if limits.volatile_cache && median < FLUSH_MIN {
        return finding.warn(
            "the disk says that its write cache is volatile, yet empties it faster than any does: \
             it may be lying, and a power cut would lose what clients were told is safe",
            CACHE,
        );
    }
    if let Some(election) = limits.election
        && slow > election
    {
        return finding.fail(
            format!(
                "one sync in a hundred takes longer than an election ({}): no leader can stay on \
                 this disk",
                millis(election)
            ),
            "put the node's folder on a disk of its own, or a faster one",
        );
    }
    if median > SLOW {
        return finding.warn(
            "every create, lock and stable write waits for it",
            "use a disk with a protected write cache, and nothing else that syncs on it",
        );
    }
    if limits.election.is_some_and(|election| slow > election / 2) {
        return finding.warn(
            "the slowest come near the time after which a leader gives up",
            "find out what else writes to this disk",
        );
    }
    finding
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use holdfast_cluster::disk::DiskFile;

    use super::super::finding::Level;
    use super::*;

    const LOG: SyncLimits =
        SyncLimits { volatile_cache: false, election: Some(Duration::from_millis(500)) };
    const VOLATILE: SyncLimits = SyncLimits { volatile_cache: true, ..LOG };

    fn level(micros: &[u64], limits: SyncLimits) -> Level {
        let syncs = micros.iter().copied().map(Duration::from_micros).collect();
        judge("log", &SyncFigures { syncs }, &limits).level
    }

    #[test]
    fn figures_are_judged() {
        assert_eq!(level(&[3_900; 200], LOG), Level::Ok);
        assert_eq!(level(&[30; 200], LOG), Level::Ok, "a disk with capacitors");
        assert_eq!(level(&[30; 200], VOLATILE), Level::Warn, "which it says it has not");
        assert_eq!(level(&[2; 200], LOG), Level::Fail);
        assert_eq!(level(&[25_000; 100], LOG), Level::Warn);
        let mut stalling = vec![4_000; 96];
        stalling.extend([300_000; 4]);
        assert_eq!(level(&stalling, LOG), Level::Warn);
        stalling[96..].fill(600_000);
        assert_eq!(level(&stalling, LOG), Level::Fail);
        assert_eq!(level(&stalling, SyncLimits { election: None, ..LOG }), Level::Ok);
    }

    #[test]
    fn the_slowest_in_a_hundred_are_told() {
        let syncs = (1..=100).map(Duration::from_millis).collect();
        let figures = SyncFigures { syncs };
        assert_eq!(figures.permille(500), Duration::from_millis(51));
        assert_eq!(figures.permille(990), Duration::from_millis(100));
        assert_eq!(SyncFigures { syncs: Vec::new() }.permille(990), Duration::ZERO);
    }

    /// A disk on which a sync takes as long as it is told to, by a clock of its own.
    struct Paced {
        now: AtomicU64,
        sync: Duration,
        refuses: bool,
        files: AtomicU64,
    }

    impl Paced {
        fn new(sync: Duration) -> Arc<Paced> {
            let now = AtomicU64::new(1_000_000_000);
            Arc::new(Paced { now, sync, refuses: false, files: AtomicU64::new(0) })
        }
    }

    struct PacedDisk(Arc<Paced>);

    impl Clock for Paced {
        fn boot(&self) -> Duration {
            Duration::from_nanos(self.now.load(Ordering::Relaxed))
        }

        fn wall(&self) -> Duration {
            self.boot()
        }
    }

    #[async_trait]
    impl Disk for PacedDisk {
        async fn list(&self) -> io::Result<Vec<String>> {
            Ok(Vec::new())
        }

        async fn open(&self, _name: &str) -> io::Result<Arc<dyn DiskFile>> {
            Err(io::ErrorKind::NotFound.into())
        }

        async fn create(&self, _name: &str) -> io::Result<Arc<dyn DiskFile>> {
            self.0.files.fetch_add(1, Ordering::Relaxed);
            Ok(Arc::new(PacedDisk(Arc::clone(&self.0))))
        }

        async fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
            Ok(())
        }

        async fn remove(&self, _name: &str) -> io::Result<()> {
            self.0.files.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        }

        async fn sync_dir(&self) -> io::Result<()> {
            Ok(())
        }

        async fn free(&self) -> io::Result<u64> {
            Ok(1 << 40)
        }

        fn blocks(&self) -> bool {
            false
        }
    }

    #[async_trait]
    impl DiskFile for PacedDisk {
        async fn read_at(&self, _offset: u64, _length: usize) -> io::Result<Vec<u8>> {
            Ok(Vec::new())
        }

        async fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
            // What copying into the page cache takes.
            self.0.now.fetch_add(2_000, Ordering::Relaxed);
            Ok(())
        }

        async fn sync_data(&self) -> io::Result<()> {
            if self.0.refuses {
                return Err(io::Error::other("medium error"));
            }
            self.0.now.fetch_add(self.0.sync.as_nanos() as u64, Ordering::Relaxed);
            Ok(())
        }

        async fn set_len(&self, _length: u64) -> io::Result<()> {
            Ok(())
        }

        async fn length(&self) -> io::Result<u64> {
            Ok(0)
        }
    }

    async fn level_of(sync: Duration) -> (Level, usize) {
        let paced = Paced::new(sync);
        let figures = probe(&PacedDisk(Arc::clone(&paced)), &*paced).await.unwrap();
        assert_eq!(paced.files.load(Ordering::Relaxed), 0, "it leaves nothing behind");
        (judge("log", &figures, &LOG).level, figures.syncs.len())
    }

    #[tokio::test]
    async fn disks_that_lie_or_dawdle_are_found() {
        assert_eq!(level_of(Duration::from_millis(4)).await, (Level::Ok, SYNCS_MAX));
        assert_eq!(level_of(Duration::from_nanos(300)).await, (Level::Fail, SYNCS_MAX));
        assert_eq!(level_of(Duration::from_millis(600)).await, (Level::Fail, SYNCS_MIN));
        let failing = Paced::new(Duration::ZERO);
        let failing = Arc::new(Paced { refuses: true, ..Arc::into_inner(failing).unwrap() });
        assert!(probe(&PacedDisk(Arc::clone(&failing)), &*failing).await.is_err());
        assert_eq!(failing.files.load(Ordering::Relaxed), 0, "not even then");
    }
}
