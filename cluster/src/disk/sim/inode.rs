//! One file's bytes: the page cache that reads see, and the durable image that a power cut leaves.

use std::collections::BTreeMap;

use super::random::SimRandom;
use super::{SECTOR, SimLosses};

/// How a power cut treats what was not synced. Drawn per cut, so that cuts which keep everything or
/// nothing are as common as mixed ones.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mood {
    KeepsAll,
    LosesAll,
    Mixed,
}

impl Mood {
    pub(super) fn draw(random: &mut SimRandom) -> Mood {
        match random.below(100) {
            0..15 => Mood::KeepsAll,
            15..40 => Mood::LosesAll,
            _ => Mood::Mixed,
        }
    }

    /// Whether one change that was not synced is kept as a whole.
    pub(super) fn keeps(self, random: &mut SimRandom) -> bool {
        match self {
            Mood::KeepsAll => true,
            Mood::LosesAll => false,
            Mood::Mixed => random.percent(50),
        }
    }
}

/// What is being made durable: the bytes as they stood when the sync began.
pub(super) struct SyncSnapshot {
    sectors: Vec<(u64, u64, Vec<u8>)>,
    length: usize,
}

#[derive(Default)]
pub(super) struct Inode {
    cache: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since the last sync that covered them, with the number of their last write.
    dirty: BTreeMap<u64, u64>,
    /// What the medium held when the file was longer, at its offsets: the blocks that a cut gave
    /// back are the likeliest to be given to the file again.
    cut_off: Vec<u8>,
}

impl Inode {
    pub(super) fn cache(&self) -> &[u8] {
        &self.cache
    }

    pub(super) fn cut_off(&self) -> &[u8] {
        &self.cut_off
    }

    pub(super) fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let from = clamp(offset, self.cache.len());
        let to = from.saturating_add(length).min(self.cache.len());
        self.cache[from..to].to_vec()
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8], number: u64) {
        let end = offset + bytes.len();
        if self.cache.len() < end {
            self.set_len(end, number);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        self.touch(offset, end, number);
    }

    pub(super) fn set_len(&mut self, length: usize, number: u64) {
        let old = self.cache.len();
        self.cache.resize(length, 0);
        if length > old {
            self.touch(old, length, number);
        } else {
            self.dirty.split_off(&(length.div_ceil(SECTOR) as u64));
        }
    }

    fn touch(&mut self, from: usize, to: usize, number: u64) {
        for sector in from / SECTOR..to.div_ceil(SECTOR) {
            self.dirty.insert(sector as u64, number);
        }
    }

    pub(super) fn begin_sync(&self) -> SyncSnapshot {
        let sectors = self
            .dirty
            .iter()
            .map(|(&sector, &number)| (sector, number, self.read(sector * SECTOR as u64, SECTOR)))
            .collect();
        SyncSnapshot { sectors, length: self.cache.len() }
    }

    pub(super) fn end_sync(&mut self, snapshot: SyncSnapshot) {
        if snapshot.length < self.durable.len() {
            self.cut_off.clone_from(&self.durable);
        }
        self.durable.resize(snapshot.length, 0);
        for (sector, number, bytes) in snapshot.sectors {
            let from = sector as usize * SECTOR;
            let to = (from + bytes.len()).min(self.durable.len());
            if from < to {
                self.durable[from..to].copy_from_slice(&bytes[..to - from]);
            }
            self.forget(sector, number);
        }
    }

    /// The kernel reports the error once and then takes the pages for clean: they will not be
    /// written again.
    pub(super) fn fail_sync(&mut self, snapshot: SyncSnapshot) {
        for (sector, number, _) in snapshot.sectors {
            self.forget(sector, number);
        }
    }

    fn forget(&mut self, sector: u64, number: u64) {
        if self.dirty.get(&sector) == Some(&number) {
            self.dirty.remove(&sector);
        }
    }

    pub(super) fn flip(&mut self, offset: u64, mask: u8) -> bool {
        let Some(byte) = self.cache.get_mut(clamp(offset, usize::MAX)) else { return false };
        *byte ^= mask;
        if let Some(byte) = self.durable.get_mut(offset as usize) {
            *byte ^= mask;
        }
        true
    }

    /// Leaves what a power cut leaves. `stale` is what an unwritten sector may show.
    pub(super) fn crash(
        &mut self,
        mood: Mood,
        stale: &[u8],
        random: &mut SimRandom,
        losses: &mut SimLosses,
    ) {
        let length = self.draw_length(mood, random);
        if length != self.cache.len() {
            losses.lengths_lost += 1;
        }
        let mut image = self.durable.clone();
        image.truncate(length);
        let stale = if self.cut_off.len() > image.len() { &self.cut_off } else { stale };
        extend_with_leftovers(&mut image, length, stale, random);
        for &sector in self.dirty.keys() {
            let from = sector as usize * SECTOR;
            let to = (from + SECTOR).min(length).min(self.cache.len());
            if from >= to {
                losses.sectors_lost += 1;
                continue;
            }
            let (old, new) = (&mut image[from..to], &self.cache[from..to]);
            settle_sector(old, new, mood, random, losses);
        }
        self.cache.clone_from(&image);
        self.durable = image;
        self.dirty.clear();
    }

    fn draw_length(&self, mood: Mood, random: &mut SimRandom) -> usize {
        let (old, new) = (self.durable.len(), self.cache.len());
        if old == new || mood.keeps(random) {
            new
        } else if random.percent(50) {
            old
        } else {
            old.min(new) + random.below(old.abs_diff(new) as u64 + 1) as usize
        }
    }
}

/// Decides one sector that was not synced.
fn settle_sector(
    old: &mut [u8],
    new: &[u8],
    mood: Mood,
    random: &mut SimRandom,
    losses: &mut SimLosses,
) {
    if matches!(mood, Mood::Mixed) && random.percent(20) {
        let cut = random.below(new.len() as u64 + 1) as usize;
        if random.percent(50) {
            old[..cut].copy_from_slice(&new[..cut]);
        } else {
            old[cut..].copy_from_slice(&new[cut..]);
        }
        losses.sectors_torn += 1;
    } else if mood.keeps(random) {
        old.copy_from_slice(new);
    } else {
        losses.sectors_lost += 1;
    }
}

/// Extends `image` to `length` with what blocks show that were given to the file and never written.
fn extend_with_leftovers(image: &mut Vec<u8>, length: usize, stale: &[u8], random: &mut SimRandom) {
    let from = image.len();
    image.resize(length.max(from), 0);
    let tail = &mut image[from..];
    match random.below(3) {
        0 => {}
        1 => random.fill(tail),
        _ => {
            // Other files' bytes, at their own offsets: what is hardest to tell from the truth.
            let to = stale.len().min(length);
            if from < to {
                tail[..to - from].copy_from_slice(&stale[from..to]);
            }
        }
    }
}

fn clamp(offset: u64, length: usize) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX).min(length)
}
