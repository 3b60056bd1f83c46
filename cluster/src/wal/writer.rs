//! Writing: groups to the last segment, new segments, and the removal of old ones.
//!
//! Used by the flusher only. After any error but `Full` the writer must not be used again: what the
//! disk holds is unknown from then on. A write that found no room was never synced, so the same
//! bytes may be written to the same place again. A sync is never repeated, whatever it said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::flusher::Shared;
use super::index::Place;
use super::record::{self, Record};
use super::{Position, VoteMark, WalError, WalIdentity, segment};
use crate::disk::{Disk, DiskFile};

/// What the disk holds besides entries: what a new segment begins with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) vote: Option<VoteMark>,
    pub(super) purged: Option<Position>,
    pub(super) committed: Option<Position>,
    /// Index of the last entry.
    pub(super) tail: Option<u64>,
}

impl Marks {
    /// Follows one more record.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Entry(entry) => self.tail = Some(entry.position.index),
            Record::Vote(vote) => self.vote = Some(*vote),
            Record::Truncate { first } => {
                self.tail = self.tail.min(first.checked_sub(1));
            }
            Record::Purge(upto) => {
                self.purged = Some(*upto);
                self.tail = self.tail.filter(|&tail| tail > upto.index);
            }
            Record::Commit(upto) => self.committed = Some(*upto),
            Record::Tail { .. } => {}
        }
    }
}

/// Records on their way to the disk: one write, one sync.
pub(super) struct Group {
    bytes: Vec<u8>,
    base: u64,
    salt: u32,
    marks: Marks,
    highest: Option<u64>,
    places: Vec<(Position, Place)>,
    segment: u64,
}

impl Group {
    pub(super) fn push(&mut self, record: &Record) {
        let offset = record::encode(&mut self.bytes, self.base, self.base, self.salt, record);
        self.marks.note(record);
        if let Record::Entry(entry) = record {
            self.highest = self.highest.max(Some(entry.position.index));
            self.places.push((entry.position, Place { segment: self.segment, offset }));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }
}

pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    identity: WalIdentity,
    segment_bytes: u64,
    /// All segments, with the highest index of an entry in each.
    segments: BTreeMap<u64, Option<u64>>,
    active: u64,
    file: Arc<dyn DiskFile>,
    length: u64,
    marks: Marks,
}

impl Writer {
    /// Goes on behind what recovery found: `segments` is not empty, and its last, `file`, ends at
    /// `length`.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        identity: WalIdentity,
        segment_bytes: u64,
        segments: BTreeMap<u64, Option<u64>>,
        file: Arc<dyn DiskFile>,
        length: u64,
        marks: Marks,
    ) -> Self {
        let active = segments.last_key_value().map_or(1, |(&last, _)| last);
        Self { disk, identity, segment_bytes, segments, active, file, length, marks }
    }

    /// Begins a group, in a new segment if the last one is full.
    pub(super) async fn begin(&mut self, shared: &Shared) -> Result<Group, WalError> {
        if self.length >= self.segment_bytes {
            self.roll(shared).await?;
        }
        Ok(Group {
            bytes: Vec::new(),
            base: self.length,
            salt: segment::salt(self.identity, self.active),
            marks: self.marks,
            highest: None,
            places: Vec::new(),
            segment: self.active,
        })
    }

    /// Writes a group behind the last one. It is not durable yet.
    pub(super) async fn write(&mut self, group: &Group) -> Result<(), WalError> {
        debug_assert_eq!(group.base, self.length);
        self.file
            .write_at(self.length, &group.bytes)
            .await
            .map_err(WalError::io_or_full(format!("writing {}", segment::name(self.active))))
    }

    /// Makes the group that was written durable, and returns where its entries stand.
    pub(super) async fn sync(
        &mut self,
        shared: &Shared,
        group: Group,
    ) -> Result<Vec<(Position, Place)>, WalError> {
        let name = segment::name(self.active);
        self.file.sync_data().await.map_err(WalError::io(format!("syncing {name}")))?;
        self.length += group.bytes.len() as u64;
        self.marks = group.marks;
        let highest = self.segments.entry(self.active).or_default();
        *highest = (*highest).max(group.highest);
        shared.index.lock().sizes.insert(self.active, (self.length, *highest));
        Ok(group.places)
    }

    /// The directory that is written to.
    pub(super) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    async fn roll(&mut self, shared: &Shared) -> Result<(), WalError> {
        let next = self.active + 1;
        let (file, length) =
            begin_segment(self.disk.as_ref(), self.identity, next, &self.marks).await?;
        {
            let mut index = shared.index.lock();
            index.files.insert(next, file.clone());
            index.sizes.insert(next, (length, None));
        }
        self.segments.insert(next, None);
        self.active = next;
        self.file = file;
        self.length = length;
        Ok(())
    }

    /// Removes the segments, oldest first, whose entries are all purged. Each removal is durable
    /// before the next begins: whatever a power cut leaves has no gap.
    pub(super) async fn remove_purged(&mut self, shared: &Shared) -> Result<(), WalError> {
        while let Some((&oldest, &highest)) = self.segments.first_key_value() {
            let purged = self.marks.purged.map(|purged| purged.index);
            if oldest == self.active || highest > purged {
                return Ok(());
            }
            let name = segment::name(oldest);
            self.disk.remove(&name).await.map_err(WalError::io(format!("removing {name}")))?;
            sync_names(self.disk.as_ref()).await?;
            self.segments.remove(&oldest);
            let mut index = shared.index.lock();
            index.files.remove(&oldest);
            index.sizes.remove(&oldest);
        }
        Ok(())
    }
}

/// Makes the segment `sequence`, which begins with `marks`; it is durable on return, and never seen
/// half made. Returns its file and length.
pub(super) async fn begin_segment(
    disk: &dyn Disk,
    identity: WalIdentity,
    sequence: u64,
    marks: &Marks,
) -> Result<(Arc<dyn DiskFile>, u64), WalError> {
    let mut bytes = vec![0; segment::HEADER];
    let salt = segment::salt(identity, sequence);
    let first = [
        marks.vote.map(Record::Vote),
        marks.purged.map(Record::Purge),
        marks.tail.map(|index| Record::Tail { index }),
        marks.committed.map(Record::Commit),
    ];
    for record in first.iter().flatten() {
        record::encode(&mut bytes, 0, segment::HEADER as u64, salt, record);
    }
    let opening = (bytes.len() - segment::HEADER) as u32;
    bytes[..segment::HEADER].copy_from_slice(&segment::header(identity, sequence, opening));
    let name = segment::name(sequence);
    match write_segment(disk, &name, &bytes).await {
        Ok(file) => Ok((file, bytes.len() as u64)),
        Err(error) => {
            if matches!(error, WalError::Full { .. })
                && let Err(left) = disk.remove(segment::UNFINISHED).await
                && left.kind() != std::io::ErrorKind::NotFound
            {
                return Err(WalError::io("removing an unfinished segment")(left));
            }
            Err(error)
        }
    }
}

async fn write_segment(
    disk: &dyn Disk,
    name: &str,
    bytes: &[u8],
) -> Result<Arc<dyn DiskFile>, WalError> {
    let making = || format!("making {name}");
    let full = || WalError::io_or_full(making());
    let file = disk.create(segment::UNFINISHED).await.map_err(full())?;
    file.write_at(0, bytes).await.map_err(full())?;
    file.sync_data().await.map_err(WalError::io(making()))?;
    disk.rename(segment::UNFINISHED, name).await.map_err(full())?;
    sync_names(disk).await?;
    Ok(file)
}

pub(super) async fn sync_names(disk: &dyn Disk) -> Result<(), WalError> {
    disk.sync_dir().await.map_err(WalError::io("syncing the log's directory"))
}
