//! Power cuts at any point of any operation, over many seeds.

use super::model::{History, Snapshot};
use super::*;
use crate::disk::sim::{SimLosses, SimRandom};

const SEEDS: u64 = 400;
const BOOTS: u64 = 8;

/// Submits one random operation. Fails once the power is cut.
async fn step(wal: &Wal, history: &mut History, random: &mut SimRandom) -> Result<(), WalError> {
    let now = history.now().clone();
    let term = now.vote.map_or(1, |vote| vote.term);
    match random.below(100) {
        0..60 => append(wal, history, random, term, now.next_index()).await,
        60..72 => {
            let vote = VoteMark {
                term: term + random.below(2),
                node: random.below(3),
                committed: random.percent(50),
            };
            history.change(|s| s.vote = Some(vote));
            wal.save_vote(vote).await?;
            history.durable_so_far();
            Ok(())
        }
        72..80 if !now.entries.is_empty() => {
            let keep = random.below(now.entries.len() as u64 + 1) as usize;
            let first = now.entries.get(keep).map_or(now.next_index(), |e| e.position.index);
            // Entries written in their place get another name.
            let vote = VoteMark { term: term + 1, node: 1, committed: false };
            history.change(|s| s.vote = Some(vote));
            wal.save_vote(vote).await?;
            history.durable_so_far();
            history.change(|s| s.entries.truncate(keep));
            wal.truncate_from(first).await
        }
        80..88 if !now.entries.is_empty() => {
            let upto = now.entries[random.below(now.entries.len() as u64) as usize].position;
            history.change(|s| {
                s.entries.retain(|e| e.position.index > upto.index);
                s.purged = Some(upto);
            });
            wal.purge(upto).await
        }
        88..90 => {
            let upto = Position { term, index: now.next_index() + random.below(5) };
            history.change(|s| {
                s.entries.clear();
                s.purged = Some(upto);
            });
            wal.purge(upto).await
        }
        90..96 if !now.entries.is_empty() => {
            let at = random.below(now.entries.len() as u64) as usize;
            wal.note_committed(now.entries[at].position);
            Ok(())
        }
        _ => {
            wal.flush().await?;
            history.durable_so_far();
            Ok(())
        }
    }
}

async fn append(
    wal: &Wal,
    history: &mut History,
    random: &mut SimRandom,
    term: u64,
    first: u64,
) -> Result<(), WalError> {
    let count = 1 + random.below(4);
    let new: Vec<LogEntry> = (first..first + count)
        .map(|index| {
            let most = if random.percent(10) { 3000 } else { 200 };
            entry(term, index, random.below(most) as usize)
        })
        .collect();
    for entry in &new {
        history.change(|s| s.entries.push(entry.clone()));
    }
    wal.append(new, history.reached()).await?;
    if random.percent(30) {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Creates a log, through power cuts in the middle of it.
async fn create(disk: &SimDisk, random: &mut SimRandom) {
    loop {
        let mount = disk.boot();
        disk.crash_in(1 + random.below(12));
        let created = Wal::create(mount, IDENTITY).await;
        disk.crash();
        let there = disk.files().iter().any(|(name, _)| name.ends_with(".wal"));
        assert!(there || created.is_err(), "a log that was reported as created is there");
        if there {
            return;
        }
    }
}

/// One disk through several power cuts.
async fn run(seed: u64) -> SimLosses {
    let mut random = SimRandom::new(seed ^ 0x5eed);
    let disk = SimDisk::new(seed, SimLatency::NONE);
    create(&disk, &mut random).await;
    let mut history = History::new(Snapshot::default());
    for boot in 0..BOOTS {
        let what = format!("seed {seed}, boot {boot}");
        let mount = disk.boot();
        if random.percent(20) {
            // Opening may be cut off too; what it did must not count.
            disk.crash_in(1 + random.below(4));
        }
        // With a reserve on some boots, and without on others: it may come and go.
        let reserve_bytes = random.below(3) * 700;
        let config = WalConfig { reserve_bytes, ..SMALL };
        let opened = match Wal::open(mount, IDENTITY, config).await {
            // The reserve is made once it is open, and the power may be cut then.
            Ok(wal) => wal.flush().await.map(|()| wal),
            Err(error) => Err(error),
        };
        let wal = match opened {
            Ok(wal) => wal,
            Err(WalError::Io { .. }) => {
                disk.crash();
                open(&disk).await.unwrap_or_else(|error| panic!("{what}: {error}"))
            }
            Err(error) => panic!("{what}: {error}"),
        };
        let found = history.check(&wal, &what).await;
        history = History::new(found);
        disk.crash_in(5 + random.below(120));
        for _ in 0..random.below(150) {
            if step(&wal, &mut history, &mut random).await.is_err() {
                break;
            }
        }
        if random.percent(15) {
            disk.stop();
        } else {
            disk.crash();
        }
    }
    disk.losses()
}

#[tokio::test]
async fn power_cuts_lose_nothing_that_was_durable() {
    let mut losses = SimLosses::default();
    for seed in 0..SEEDS {
        let taken = run(seed).await;
        losses.sectors_lost += taken.sectors_lost;
        losses.sectors_torn += taken.sectors_torn;
        losses.lengths_lost += taken.lengths_lost;
        losses.names_lost += taken.names_lost;
        losses.names_returned += taken.names_returned;
    }
    let each = [
        losses.sectors_lost,
        losses.sectors_torn,
        losses.lengths_lost,
        losses.names_lost,
        losses.names_returned,
    ];
    assert!(each.iter().all(|&taken| taken > 0), "the disk was too kind: {losses:?}");
}
