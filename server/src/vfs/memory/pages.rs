//! The bytes of a file, in pages that copies share until one of them is written.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes in a page.
pub(super) const PAGE: usize = 4096;

type Page = Arc<[u8; PAGE]>;

/// A sparse file. Bytes of a page beyond the end of the file are zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    pages: BTreeMap<u64, Page>,
    len: u64,
}

impl Pages {
    /// EndOfFile.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes that the pages take.
    pub(super) fn size(&self) -> u64 {
        (self.pages.len() * PAGE) as u64
    }

    /// Bytes in pages that a write would add.
    pub(super) fn growth(&self, offset: u64, len: usize) -> u64 {
        if len == 0 {
            return 0;
        }
        let first = offset / PAGE as u64;
        let last = (offset + len as u64 - 1) / PAGE as u64;
        let held = self.pages.range(first..=last).count() as u64;
        (last - first + 1 - held) * PAGE as u64
    }

    /// The bytes from `offset` on, at most `len`.
    pub(super) fn read(&self, offset: u64, len: usize) -> Vec<u8> {
        let len = self.len.saturating_sub(offset).min(len as u64) as usize;
        let mut out = vec![0; len];
        let mut at = 0;
        while at < len {
            let (page, within) = position(offset + at as u64);
            let step = (PAGE - within).min(len - at);
            if let Some(page) = self.pages.get(&page) {
                out[at..at + step].copy_from_slice(&page[within..within + step]);
            }
            at += step;
        }
        out
    }

    /// Puts `data` at `offset`.
    pub(super) fn write(&mut self, offset: u64, data: &[u8]) {
        let mut at = 0;
        while at < data.len() {
            let (page, within) = position(offset + at as u64);
            let step = (PAGE - within).min(data.len() - at);
            let page = self.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE]));
            Arc::make_mut(page)[within..within + step].copy_from_slice(&data[at..at + step]);
            at += step;
        }
        if !data.is_empty() {
            self.len = self.len.max(offset + data.len() as u64);
        }
    }

    /// Sets EndOfFile; what lies beyond it is gone for good.
    pub(super) fn set_len(&mut self, len: u64) {
        self.len = len;
        let (page, within) = position(len);
        let whole = if within == 0 { page } else { page + 1 };
        self.pages.split_off(&whole);
        if within != 0
            && let Some(page) = self.pages.get_mut(&page)
        {
            Arc::make_mut(page)[within..].fill(0);
        }
    }

    /// Takes over from `newer` those differences for which `keep` says so, as a disk does that
    /// loses power in the middle of writing them.
    pub(super) fn tear(&mut self, newer: &Pages, keep: &mut dyn FnMut() -> bool) {
        let numbers: std::collections::BTreeSet<u64> =
            self.pages.keys().chain(newer.pages.keys()).copied().collect();
        for number in numbers {
            let new = newer.pages.get(&number);
            let same = match (self.pages.get(&number), new) {
                (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                (old, new) => old.is_none() && new.is_none(),
            };
            if same || !keep() {
                continue;
            }
            match new {
                Some(page) => self.pages.insert(number, Arc::clone(page)),
                None => self.pages.remove(&number),
            };
        }
        let len = if self.len != newer.len && keep() { newer.len } else { self.len };
        self.set_len(len);
    }
}

fn position(offset: u64) -> (u64, usize) {
    (offset / PAGE as u64, (offset % PAGE as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_do_not_see_each_other() {
        let mut a = Pages::default();
        a.write(PAGE as u64 - 2, b"abcd");
        let b = a.clone();
        a.write(PAGE as u64, b"XX");
        assert_eq!(b.read(PAGE as u64 - 2, 10), b"abcd");
        assert_eq!(a.read(PAGE as u64 - 2, 10), b"abXX");
        assert_eq!(a.growth(0, 3 * PAGE), PAGE as u64);
    }

    #[test]
    fn torn_writes_keep_whole_pages() {
        let mut old = Pages::default();
        old.write(0, &[1; 2 * PAGE]);
        let mut new = old.clone();
        new.write(0, &[2; 3 * PAGE]);
        let mut turn = 0;
        old.tear(&new, &mut || {
            turn += 1;
            turn == 2
        });
        assert_eq!(old.len(), 2 * PAGE as u64);
        assert_eq!(old.read(0, 1), [1]);
        assert_eq!(old.read(PAGE as u64, 1), [2]);
    }
}
