//! Byte-range locks ([MS-SMB2] 3.3.5.14, [MS-FSA] 2.1.4.10).
//!
//! Invariant: no exclusive lock overlaps another open's lock. They are mandatory: the node that
//! serves a READ or WRITE asks [`FileState::lock_conflict`] of its replica.

use std::collections::BTreeSet;

use holdfast_proto::types::OpenId;

use super::FileState;
use crate::command::LockRange;

/// A lock that is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteLock {
    pub open: OpenId,
    pub range: LockRange,
}

impl ByteLock {
    /// True if the two can never be held together.
    pub fn excludes(&self, other: &ByteLock) -> bool {
        self.open != other.open
            && (self.range.exclusive || other.range.exclusive)
            && overlap(
                (self.range.offset, self.range.length),
                (other.range.offset, other.range.length),
            )
    }
}

/// True if the range ends within the 64 bits that can be addressed.
pub fn is_addressable(range: &LockRange) -> bool {
    u128::from(range.offset) + u128::from(range.length) <= 1 << 64
}

/// True if the ranges overlap. A range of no length lies between two bytes: it overlaps what
/// reaches over that point, and nothing that begins or ends there.
fn overlap(a: (u64, u64), b: (u64, u64)) -> bool {
    let end = |(offset, length): (u64, u64)| u128::from(offset) + u128::from(length);
    u128::from(a.0) < end(b) && u128::from(b.0) < end(a)
}

impl FileState {
    /// The locks, in the order in which they were granted.
    pub fn locks(&self) -> &[ByteLock] {
        &self.locks
    }

    /// True if a lock forbids `open` to read (or write) that range. An exclusive lock excludes
    /// all other opens; a shared one excludes writing, by its own open too.
    pub fn lock_conflict(&self, open: OpenId, offset: u64, length: u64, write: bool) -> bool {
        length > 0
            && self.locks.iter().any(|lock| {
                overlap((lock.range.offset, lock.range.length), (offset, length))
                    && if lock.range.exclusive { lock.open != open } else { write }
            })
    }

    /// True if `range` cannot be locked by `open` now. A shared lock may lie on the open's own
    /// exclusive one; nothing may lie under a new exclusive one.
    pub(crate) fn is_locked_against(&self, open: OpenId, range: &LockRange) -> bool {
        self.locks.iter().any(|lock| {
            let hit = overlap((lock.range.offset, lock.range.length), (range.offset, range.length));
            hit && (range.exclusive || lock.range.exclusive && lock.open != open)
        })
    }

    /// Takes a lock; the caller has asked [`Self::is_locked_against`].
    pub(crate) fn add_lock(&mut self, open: OpenId, range: LockRange) {
        self.locks.push(ByteLock { open, range });
    }

    /// Gives one lock of exactly that range back, an exclusive one first. False if there is none.
    pub(crate) fn remove_lock(&mut self, open: OpenId, offset: u64, length: u64) -> bool {
        let find = |exclusive: bool| {
            self.locks.iter().position(|lock| {
                lock.open == open
                    && lock.range.offset == offset
                    && lock.range.length == length
                    && lock.range.exclusive == exclusive
            })
        };
        match find(true).or_else(|| find(false)) {
            Some(at) => {
                self.locks.remove(at);
                true
            }
            None => false,
        }
    }

    /// Takes back the newest lock of exactly that range and kind: an older one was granted to
    /// another request. Nothing if it was given back since.
    pub(crate) fn withdraw_lock(&mut self, open: OpenId, range: LockRange) {
        if let Some(at) = self.locks.iter().rposition(|lock| *lock == ByteLock { open, range }) {
            self.locks.remove(at);
        }
    }

    /// Gives every lock of these opens back.
    pub(crate) fn remove_locks_of(&mut self, opens: &BTreeSet<OpenId>) {
        self.locks.retain(|lock| !opens.contains(&lock.open));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_no_length_lies_between_two_bytes() {
        assert!(overlap((5, 0), (0, 10)));
        assert!(!overlap((0, 0), (0, 10)));
        assert!(!overlap((10, 0), (0, 10)));
        assert!(!overlap((5, 0), (5, 0)));
    }

    #[test]
    fn the_last_byte_can_be_locked_and_no_further_one() {
        let range = |offset, length| LockRange { offset, length, exclusive: true };
        assert!(is_addressable(&range(u64::MAX, 1)));
        assert!(!is_addressable(&range(u64::MAX, 2)));
        assert!(!overlap((u64::MAX, 1), (0, u64::MAX)));
        assert!(overlap((u64::MAX, 1), (1, u64::MAX)));
    }
}
