//! Message ids and credits ([MS-SMB2] 3.3.1.1, 3.3.1.2, 3.3.5.2.3).
//!
//! Invariant: an id is accepted once, and only after it was granted. What is kept is bounded,
//! whatever a client leaves out.

use std::collections::VecDeque;

use crate::limits;

/// How far the newest granted id may be ahead of the oldest unused one.
const SPAN_MAX: usize = 4 * limits::CREDITS_MAX as usize;

/// The ids that a client may use: CommandSequenceWindow.
#[derive(Debug)]
pub struct MessageWindow {
    /// The oldest id that was granted and not used.
    low: u64,
    /// From `low` on: whether the id was used.
    used: VecDeque<bool>,
    /// How many are granted and unused.
    available: usize,
}

impl Default for MessageWindow {
    fn default() -> MessageWindow {
        MessageWindow::new()
    }
}

impl MessageWindow {
    /// A new connection: id 0, for the NEGOTIATE.
    pub fn new() -> MessageWindow {
        MessageWindow { low: 0, used: VecDeque::from([false]), available: 1 }
    }

    /// Takes `charge` consecutive ids from `id` on; 0 counts as 1. All or none; false if any of
    /// them was not granted or has been used.
    #[must_use]
    pub fn take(&mut self, id: u64, charge: u16) -> bool {
        let charge = usize::from(charge.max(1));
        let Some(first) = id.checked_sub(self.low).and_then(|n| usize::try_from(n).ok()) else {
            return false;
        };
        let Some(end) = first.checked_add(charge).filter(|end| *end <= self.used.len()) else {
            return false;
        };
        if self.used.range(first..end).any(|used| *used) {
            return false;
        }
        self.used.range_mut(first..end).for_each(|used| *used = true);
        self.available -= charge;
        while self.used.front() == Some(&true) {
            self.used.pop_front();
            self.low += 1;
        }
        true
    }

    /// Grants what is asked for, within `limit` unused ids; never so little that the client could
    /// not ask again. Returns how many.
    pub fn grant(&mut self, requested: u16, limit: u16) -> u16 {
        let room = usize::from(limit).saturating_sub(self.available);
        let span = SPAN_MAX.saturating_sub(self.used.len());
        let wanted = usize::from(requested.max(1));
        let mut granted = wanted.min(room).min(span);
        if self.available == 0 {
            granted = granted.max(1);
        }
        self.used.extend(std::iter::repeat_n(false, granted));
        self.available += granted;
        // `wanted` came from 16 bits, and at least one fits.
        u16::try_from(granted).unwrap_or(u16::MAX)
    }

    /// How many ids are granted and unused.
    pub fn available(&self) -> usize {
        self.available
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_once_and_in_any_order() {
        let mut window = MessageWindow::new();
        assert!(!window.take(1, 1), "not granted");
        assert!(window.take(0, 0));
        assert!(!window.take(0, 1), "used");
        assert_eq!(window.grant(10, 16), 10);
        assert!(window.take(5, 3));
        assert!(!window.take(4, 2), "overlaps");
        assert!(!window.take(9, 3), "runs out of the window");
        assert!(window.take(1, 4));
        assert!(window.take(8, 3));
        assert_eq!(window.available(), 0);
        assert!(!window.take(u64::MAX, 1));
        assert!(!window.take(u64::MAX, u16::MAX));
    }

    #[test]
    fn grants_are_bounded_and_never_starve() {
        let mut window = MessageWindow::new();
        assert!(window.take(0, 1));
        assert_eq!(window.grant(u16::MAX, 16), 16);
        assert_eq!(window.grant(100, 16), 0, "there is enough");
        for id in 1..=16 {
            assert!(window.take(id, 1));
        }
        assert_eq!(window.grant(0, 0), 1, "the last one is always given");
    }

    #[test]
    fn an_id_left_out_does_not_make_the_window_grow_without_end() {
        let mut window = MessageWindow::new();
        let mut next = 1;
        loop {
            let granted = window.grant(512, limits::CREDITS_MAX);
            if granted == 0 {
                break;
            }
            for _ in 0..granted {
                assert!(window.take(next, 1));
                next += 1;
            }
            assert!(window.used.len() <= SPAN_MAX);
        }
        assert!(window.take(0, 1), "the one left out still counts");
        assert!(window.grant(1, 16) > 0);
    }
}
