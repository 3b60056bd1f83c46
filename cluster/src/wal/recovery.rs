//! Creating a log, and finding out what one holds.
//!
//! Recovery changes two things only: a torn tail of the last segment is cut, and a segment that was
//! being made is removed. Both are synced, as is every segment, before anything found is relied on:
//! after a process died without a power cut, what is read may not be durable yet.
//!
//! - The last group is written once more before that sync. If its first sync failed, the kernel
//!   reported it, took the pages for clean, and goes on to serve them from memory: they read well,
//!   another sync alone would write nothing, and the next power cut would take what was relied on.
//! - A torn tail is overwritten with zeros before it is cut. Its records carry the segment's salt and
//!   their own offset, so blocks of it that came back behind a later write would be taken for real.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::index::{LogIndex, Place};
use super::record::{Found, Record};
use super::segment::{self, End};
use super::writer::{Marks, Writer, begin_segment, sync_names};
use super::{WalConfig, WalError, WalIdentity, reserve};
use crate::disk::{Disk, DiskFile};

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Makes the first segment in an empty directory.
pub(super) async fn create(disk: &dyn Disk, identity: WalIdentity) -> Result<(), WalError> {
    let names = list(disk).await?;
    if let Some(file) = names.iter().find(|name| *name != segment::UNFINISHED) {
        return Err(WalError::NotEmpty { file: file.clone() });
    }
    remove_unfinished(disk, &names).await?;
    begin_segment(disk, identity, 1, &Marks::default()).await?;
    Ok(())
}

/// Replays a log. Returns what it holds and the writer that goes on behind it.
pub(super) async fn open(
    disk: Arc<dyn Disk>,
    identity: WalIdentity,
    config: &WalConfig,
) -> Result<(LogIndex, Writer), WalError> {
    let names = list(disk.as_ref()).await?;
    let sequences = segments_of(&names)?;
    let Some(&last) = sequences.last() else { return Err(WalError::NotCreated) };
    let mut replay = Replay::new(LogIndex::new(config.cache_bytes), sequences[0]);
    let mut end = None;
    for &sequence in &sequences {
        let is_last = sequence == last;
        end = Some(replay.segment(disk.as_ref(), identity, sequence, is_last).await?);
    }
    let Some((file, length)) = end else { return Err(WalError::NotCreated) };
    remove_unfinished(disk.as_ref(), &names).await?;
    sync_names(disk.as_ref()).await?;
    let Replay { index, segments, marks, .. } = replay.finish()?;
    let writer = Writer::new(disk, identity, config.segment_bytes, segments, file, length, marks);
    Ok((index, writer))
}

async fn list(disk: &dyn Disk) -> Result<Vec<String>, WalError> {
    disk.list().await.map_err(WalError::io("listing the log's directory"))
}

async fn remove_unfinished(disk: &dyn Disk, names: &[String]) -> Result<(), WalError> {
    if names.iter().any(|name| name == segment::UNFINISHED) {
        let removing = WalError::io("removing an unfinished segment");
        disk.remove(segment::UNFINISHED).await.map_err(removing)?;
    }
    Ok(())
}

/// The segments' numbers, ascending, which must have no gap.
fn segments_of(names: &[String]) -> Result<Vec<u64>, WalError> {
    let mut sequences = Vec::new();
    let of_no_segment = |name: &str| name == segment::UNFINISHED || reserve::is_its_file(name);
    for name in names.iter().filter(|name| !of_no_segment(name)) {
        match segment::sequence(name) {
            Some(sequence) => sequences.push(sequence),
            None => return Err(WalError::UnknownFile { file: name.clone() }),
        }
    }
    sequences.sort_unstable();
    for pair in sequences.windows(2) {
        if pair[0] + 1 != pair[1] {
            let missing = segment::name(pair[0] + 1);
            return Err(WalError::corrupt(&missing, 0, "the segment is missing"));
        }
    }
    Ok(sequences)
}

/// Builds the state from the records, segment by segment.
struct Replay {
    index: LogIndex,
    segments: BTreeMap<u64, Option<u64>>,
    marks: Marks,
    first_segment: u64,
    /// The last entry that segments before the first one held, unless truncated since: all up to it
    /// must turn out to be purged.
    missing: Option<u64>,
    /// Where the group of the record that was read last begins, in its segment.
    last_group: usize,
}

impl Replay {
    fn new(index: LogIndex, first_segment: u64) -> Self {
        let (segments, marks) = (BTreeMap::new(), Marks::default());
        Self { index, segments, marks, first_segment, missing: None, last_group: segment::HEADER }
    }

    /// Syncs and replays one segment. Returns its file and its length, after a torn tail was cut.
    async fn segment(
        &mut self,
        disk: &dyn Disk,
        identity: WalIdentity,
        sequence: u64,
        last: bool,
    ) -> Result<(Arc<dyn DiskFile>, u64), WalError> {
        let name = segment::name(sequence);
        let file = disk.open(&name).await.map_err(WalError::io(format!("opening {name}")))?;
        let bytes = read_whole(file.as_ref(), &name).await?;
        self.segments.insert(sequence, None);
        self.last_group = segment::HEADER;
        let end = segment::walk(&bytes, identity, sequence, last, |at, found| {
            self.record(sequence, at, found)
        })?;
        let mut kept = bytes.len();
        if let End::Torn { at } = end {
            tracing::warn!(
                segment = %name, at, length = kept,
                "cutting the torn tail of a write that never became durable"
            );
            kept = at;
            cut(file.as_ref(), &name, at, bytes.len()).await?;
        }
        if last {
            let again = &bytes[self.last_group.min(kept)..kept];
            file.write_at((kept - again.len()) as u64, again)
                .await
                .map_err(WalError::io(format!("writing the end of {name} once more")))?;
        }
        let length = kept as u64;
        file.sync_data().await.map_err(WalError::io(format!("syncing {name}")))?;
        let highest = self.segments.get(&sequence).copied().flatten();
        self.index.sizes.insert(sequence, (length, highest));
        self.index.files.insert(sequence, file.clone());
        Ok((file, length))
    }

    fn record(&mut self, sequence: u64, at: usize, found: Found) -> Result<(), WalError> {
        self.marks.note(&found.record);
        self.last_group = found.group;
        match found.record {
            Record::Entry(entry) => {
                let highest = self.segments.entry(sequence).or_default();
                *highest = (*highest).max(Some(entry.position.index));
                let place = Place { segment: sequence, offset: at as u64 };
                self.index.replay(entry, place).map_err(|hole| {
                    WalError::corrupt(&segment::name(sequence), at as u64, hole.to_string())
                })?;
            }
            Record::Vote(vote) => self.index.vote = Some(vote),
            Record::Truncate { first } => {
                self.index.truncate_from(first);
                self.missing = self.missing.min(first.checked_sub(1));
            }
            Record::Purge(upto) => self.index.purge(upto),
            Record::Commit(upto) => self.index.committed = Some(upto),
            Record::Tail { index } => {
                if sequence == self.first_segment {
                    self.missing = Some(index);
                }
            }
        }
        Ok(())
    }

    /// Checks that nothing is missing before the first segment.
    fn finish(mut self) -> Result<Self, WalError> {
        let expected = self.index.first_after_purge();
        let first_needed = self.index.first_entry();
        let late = first_needed.is_some_and(|first| first > expected);
        let hole = match self.index.purged {
            Some(_) => late,
            // A log may begin with any index, but then its first segment must be here.
            None => self.first_segment > 1,
        };
        if hole || self.missing.is_some_and(|missing| missing >= expected) {
            let file = segment::name(self.first_segment.saturating_sub(1));
            let reason = format!("the segment is missing, and entry {expected} with it");
            return Err(WalError::corrupt(&file, 0, reason));
        }
        self.forget_baseless_commit();
        self.marks.committed = self.index.committed;
        Ok(self)
    }

    /// A commit mark is a hint; one that does not name an entry of this log helps nobody.
    fn forget_baseless_commit(&mut self) {
        let Some(committed) = self.index.committed else { return };
        let purged = self.index.purged.is_some_and(|purged| committed.index <= purged.index);
        if !purged && self.index.position_at(committed.index) != Some(committed) {
            self.index.committed = None;
        }
    }
}

/// Cuts a torn tail, from `at` to `end`, so that nothing of it can come back.
async fn cut(file: &dyn DiskFile, name: &str, at: usize, end: usize) -> Result<(), WalError> {
    let cutting = || format!("cutting {name}");
    for from in (at..end).step_by(ZEROS.len()) {
        let zeros = &ZEROS[..ZEROS.len().min(end - from)];
        file.write_at(from as u64, zeros).await.map_err(WalError::io(cutting()))?;
    }
    file.sync_data().await.map_err(WalError::io(cutting()))?;
    file.set_len(at as u64).await.map_err(WalError::io(cutting()))
}

async fn read_whole(file: &dyn DiskFile, name: &str) -> Result<Vec<u8>, WalError> {
    let reading = || format!("reading {name}");
    let length = file.length().await.map_err(WalError::io(reading()))?;
    let length = usize::try_from(length)
        .map_err(|_| WalError::corrupt(name, length, "the segment is impossibly large"))?;
    file.read_at(0, length).await.map_err(WalError::io(reading()))
}
