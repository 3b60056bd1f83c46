//! The log as it stands in memory: marks, the names of all entries, and the bodies of the newest.
//!
//! It is what readers see, ahead of the disk, and it is what replaying the segments builds.
//!
//! Invariants:
//! - the entries' indices are consecutive, and all above the purge mark;
//! - a body leaves memory only once its place on the disk is known, which is after its sync; the
//!   oldest go first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::{LogEntry, Position, VoteMark, WalError, WalState};
use crate::disk::DiskFile;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u64,
    /// Offset of the record in the segment.
    pub(super) offset: u64,
}

struct Slot {
    term: u64,
    /// Bytes of the body, in memory or not.
    length: usize,
    body: Option<Bytes>,
    place: Option<Place>,
}

/// Where the body of an entry is to be had.
pub(super) enum SlotBody {
    Cached(Bytes),
    OnDisk { place: Place, file: DiskBody },
}

/// The file that holds a body which is no longer in memory.
pub(super) struct DiskBody {
    /// Open since the log was; `None` cannot happen while the entry is in the index.
    pub(super) file: Option<Arc<dyn DiskFile>>,
    pub(super) length: usize,
}

/// See the module's documentation.
pub(super) struct LogIndex {
    pub(super) vote: Option<VoteMark>,
    pub(super) committed: Option<Position>,
    pub(super) purged: Option<Position>,
    /// The segments' open files, so that reading needs no look-up and works while they are removed.
    pub(super) files: BTreeMap<u64, Arc<dyn DiskFile>>,
    /// Bytes and highest entry of each segment, as far as they are durable.
    pub(super) sizes: BTreeMap<u64, (u64, Option<u64>)>,
    /// Index of the first slot; meaningless while there is none.
    first: u64,
    slots: VecDeque<Slot>,
    cached: usize,
    cache_limit: usize,
    /// How many slots, from the front, have given up their body.
    evicted: usize,
    requests: u64,
    /// The number of requests made before the last commit mark.
    committed_after: u64,
}

impl LogIndex {
    pub(super) fn new(cache_limit: usize) -> Self {
        Self {
            vote: None,
            committed: None,
            purged: None,
            files: BTreeMap::new(),
            sizes: BTreeMap::new(),
            first: 0,
            slots: VecDeque::new(),
            cached: 0,
            cache_limit,
            evicted: 0,
            requests: 0,
            committed_after: 0,
        }
    }

    pub(super) fn state(&self) -> WalState {
        WalState {
            vote: self.vote,
            committed: self.committed,
            purged: self.purged,
            last: self.last_entry().or(self.purged),
        }
    }

    pub(super) fn last_entry(&self) -> Option<Position> {
        let slot = self.slots.back()?;
        Some(Position { term: slot.term, index: self.first + self.slots.len() as u64 - 1 })
    }

    pub(super) fn first_entry(&self) -> Option<u64> {
        (!self.slots.is_empty()).then_some(self.first)
    }

    pub(super) fn position_at(&self, index: u64) -> Option<Position> {
        let slot = self.slots.get(self.slot_of(index)?)?;
        Some(Position { term: slot.term, index })
    }

    fn slot_of(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.first)?).ok()
    }

    /// The number of the next request. Called under the lock that orders requests.
    pub(super) fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// Up to which entry the log must be purged, so that what remains takes at most `limit` bytes;
    /// the last segment stays in any case.
    pub(super) fn purge_for_size(&self, limit: u64) -> Option<u64> {
        let mut total: u64 = self.sizes.values().map(|(bytes, _)| bytes).sum();
        let mut upto = None;
        let (last, _) = self.sizes.last_key_value()?;
        for (_, (bytes, highest)) in self.sizes.range(..last) {
            if total <= limit {
                break;
            }
            total -= bytes;
            upto = upto.max(*highest);
        }
        upto.filter(|upto| self.purged.is_none_or(|purged| purged.index < *upto))
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    pub(super) fn note_committed(&mut self, position: Position) {
        self.committed = Some(position);
        self.committed_after = self.requests;
    }

    /// The commit mark, if everything it rests on is among the first `written` requests.
    pub(super) fn commit_mark(&self, written: u64) -> Option<Position> {
        self.committed.filter(|_| self.committed_after <= written)
    }

    pub(super) fn append(&mut self, entries: Vec<LogEntry>) -> Result<(), WalError> {
        let mut expected = match (self.last_entry(), self.purged) {
            (Some(last), _) => Some(last.index + 1),
            (None, Some(purged)) => Some(purged.index + 1),
            (None, None) => None,
        };
        for entry in &entries {
            let found = entry.position.index;
            if let Some(expected) = expected
                && expected != found
            {
                return Err(WalError::Hole { expected, found });
            }
            expected = Some(found + 1);
        }
        for entry in entries {
            self.push(entry, None);
        }
        Ok(())
    }

    /// Adds an entry found on the disk.
    ///
    /// # Errors
    /// `Hole` if it does not follow the last one.
    pub(super) fn replay(&mut self, entry: LogEntry, place: Place) -> Result<(), WalError> {
        let found = entry.position.index;
        if let Some(last) = self.last_entry()
            && last.index + 1 != found
        {
            return Err(WalError::Hole { expected: last.index + 1, found });
        }
        if self.purged.is_some_and(|purged| found <= purged.index) {
            return Err(WalError::Hole { expected: self.first_after_purge(), found });
        }
        self.push(entry, Some(place));
        self.evict();
        Ok(())
    }

    /// The lowest index that an entry can have.
    pub(super) fn first_after_purge(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    fn push(&mut self, entry: LogEntry, place: Option<Place>) {
        if self.slots.is_empty() {
            self.first = entry.position.index;
        }
        self.cached += entry.body.len();
        self.slots.push_back(Slot {
            term: entry.position.term,
            length: entry.body.len(),
            body: Some(entry.body),
            place,
        });
    }

    pub(super) fn truncate_from(&mut self, first: u64) {
        let kept = self.slot_of(first.max(self.first)).unwrap_or(0);
        while self.slots.len() > kept {
            self.drop_slot(VecDeque::pop_back);
        }
        self.evicted = self.evicted.min(self.slots.len());
    }

    pub(super) fn purge(&mut self, upto: Position) {
        if self.purged.is_some_and(|purged| purged.index >= upto.index) {
            return;
        }
        while self.first_entry().is_some_and(|first| first <= upto.index) {
            self.drop_slot(VecDeque::pop_front);
            self.first += 1;
            self.evicted = self.evicted.saturating_sub(1);
        }
        self.purged = Some(upto);
    }

    fn drop_slot(&mut self, pop: impl FnOnce(&mut VecDeque<Slot>) -> Option<Slot>) {
        if let Some(Slot { body: Some(body), .. }) = pop(&mut self.slots) {
            self.cached -= body.len();
        }
    }

    /// Learns where entries stand, now that they are durable. Those truncated or purged meanwhile
    /// are passed over.
    pub(super) fn placed(&mut self, places: &[(Position, Place)]) {
        for (position, place) in places {
            let Some(slot) = self.slot_of(position.index).and_then(|at| self.slots.get_mut(at))
            else {
                continue;
            };
            if slot.term == position.term {
                slot.place = Some(*place);
            }
        }
        self.evict();
    }

    /// Gives up the oldest bodies until the rest fits.
    fn evict(&mut self) {
        while self.cached > self.cache_limit {
            let Some(slot) = self.slots.get_mut(self.evicted).filter(|slot| slot.place.is_some())
            else {
                return;
            };
            self.cached -= slot.body.take().map_or(0, |body| body.len());
            self.evicted += 1;
        }
    }

    /// The entries from `from` up to, not including, `to`; as many as `limit` bytes allow, and one
    /// at least.
    pub(super) fn collect(&self, from: u64, to: u64, limit: usize) -> Vec<(Position, SlotBody)> {
        let from = from.max(self.first);
        let end = self.first + self.slots.len() as u64;
        let mut found = Vec::new();
        let mut total = 0usize;
        for index in from..to.min(end) {
            let slot = &self.slots[(index - self.first) as usize];
            total = total.saturating_add(slot.length);
            if total > limit && !found.is_empty() {
                break;
            }
            found.push((Position { term: slot.term, index }, self.body_of(slot)));
        }
        found
    }

    fn body_of(&self, slot: &Slot) -> SlotBody {
        match (&slot.body, slot.place) {
            (Some(body), _) => SlotBody::Cached(body.clone()),
            (None, Some(place)) => SlotBody::OnDisk {
                place,
                file: DiskBody {
                    file: self.files.get(&place.segment).cloned(),
                    length: slot.length,
                },
            },
            (None, None) => unreachable!("a body is evicted only once its place is known"),
        }
    }

    /// Bytes of bodies in memory.
    #[cfg(test)]
    pub(super) fn cached(&self) -> usize {
        self.cached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(term: u64, index: u64) -> LogEntry {
        LogEntry { position: Position { term, index }, body: Bytes::from(vec![index as u8; 10]) }
    }

    fn filled() -> LogIndex {
        let mut index = LogIndex::new(1 << 20);
        index.append((0..10).map(|i| entry(1, i)).collect()).unwrap();
        index
    }

    #[test]
    fn holes_are_refused_and_change_nothing() {
        let mut index = filled();
        assert!(matches!(
            index.append(vec![entry(1, 11)]),
            Err(WalError::Hole { expected: 10, found: 11 })
        ));
        assert!(index.append(vec![entry(1, 10), entry(1, 12)]).is_err());
        assert_eq!(index.last_entry(), Some(Position { term: 1, index: 9 }));
    }

    #[test]
    fn truncation_and_purge_keep_the_rest() {
        let mut index = filled();
        index.truncate_from(7);
        index.purge(Position { term: 1, index: 2 });
        let found: Vec<u64> =
            index.collect(0, 100, usize::MAX).into_iter().map(|(p, _)| p.index).collect();
        assert_eq!(found, [3, 4, 5, 6]);
        index.purge(Position { term: 1, index: 1 });
        assert_eq!(index.state().purged, Some(Position { term: 1, index: 2 }));
        index.purge(Position { term: 2, index: 20 });
        assert_eq!(index.state().last, Some(Position { term: 2, index: 20 }));
        assert_eq!(index.cached(), 0);
        index.append(vec![entry(2, 21)]).unwrap();
        index.truncate_from(0);
        assert_eq!(index.last_entry(), None);
        index.append(vec![entry(3, 21)]).unwrap();
    }

    #[test]
    fn only_placed_bodies_leave_memory_oldest_first() {
        let mut index = LogIndex::new(45);
        index.append((0..10).map(|i| entry(1, i)).collect()).unwrap();
        assert_eq!(index.cached(), 100);
        let places: Vec<_> = (0..8)
            .map(|i| (Position { term: 1, index: i }, Place { segment: 1, offset: i * 8 }))
            .collect();
        index.placed(&places);
        assert_eq!(index.cached(), 40);
        let on_disk = index
            .collect(0, 10, usize::MAX)
            .into_iter()
            .filter(|(_, body)| matches!(body, SlotBody::OnDisk { .. }))
            .map(|(p, _)| p.index)
            .collect::<Vec<_>>();
        assert_eq!(on_disk, [0, 1, 2, 3, 4, 5]);
        index.truncate_from(3);
        index.append((3..6).map(|i| entry(2, i)).collect()).unwrap();
        assert_eq!(index.cached(), 30);
    }

    #[test]
    fn reading_returns_one_entry_whatever_the_limit() {
        let index = filled();
        assert_eq!(index.collect(4, 10, 0).len(), 1);
        assert_eq!(index.collect(4, 10, 25).len(), 2);
        assert_eq!(index.collect(10, 12, 25).len(), 0);
    }

    #[test]
    fn a_commit_mark_waits_for_what_it_rests_on() {
        let mut index = filled();
        let number = index.next_request();
        index.note_committed(Position { term: 1, index: 9 });
        assert_eq!(index.commit_mark(number - 1), None);
        assert!(index.commit_mark(number).is_some());
    }
}
