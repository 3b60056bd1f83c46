//! Directories in a stable order.
//!
//! A directory comes in the file system's own order, which no name can resume. A window of the
//! names that come next is kept sorted, and read again when it is used up, so that the memory of
//! one listing is bounded however large the directory is. It goes when the listing has come to
//! its end; and where a volume's windows hold too much already, it goes after each answer.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_proto::types::{FileKey, FoldedName};

use super::volume::Volume;
use super::walk::each_name;
use crate::vfs::name_rules::is_sayable;
use crate::vfs::{Listing, VfsResult};

/// The most names that are kept ahead for one descriptor.
const WINDOW: usize = 16_384;

/// The most names that the windows of one volume hold between two requests.
pub(super) const KEPT_MAX: usize = 1 << 18;

/// The names that the windows of one volume hold between two requests.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptNames(Arc<AtomicUsize>);

/// A window's share of them.
#[derive(Debug)]
struct Kept {
    names: usize,
    all: KeptNames,
}

impl KeptNames {
    /// How many they are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Room for so many more; none if there is not.
    fn claim(&self, names: usize) -> Option<Kept> {
        let room = |held: usize| Some(held + names).filter(|held| *held <= KEPT_MAX);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        Some(Kept { names, all: self.clone() })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.names, Ordering::Relaxed);
    }
}

/// Names are ordered by this: without case first, then exactly.
type Order = (FoldedName, String);

fn order(name: &str) -> Order {
    (FoldedName::new(name), name.to_owned())
}

/// Names that come after `after`, sorted, up to the last one read.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Where it begins: after this name.
    after: Option<Order>,
    names: Vec<Order>,
    /// True when the directory had no more names than these.
    complete: bool,
    /// True once it was read at all.
    read: bool,
    /// Its share of the volume's names, from the end of the request that read it.
    kept: Option<Kept>,
}

impl Window {
    /// Where the names after `after` begin; `None` if the window cannot tell.
    fn position(&self, after: Option<&Order>) -> Option<usize> {
        if !self.read {
            return None;
        }
        let Some(after) = after else { return self.after.is_none().then_some(0) };
        if self.after.as_ref().is_some_and(|start| after < start) {
            return None;
        }
        let at = self.names.partition_point(|name| name <= after);
        (at < self.names.len() || self.complete).then_some(at)
    }
}

impl Volume {
    /// The entries after a name; leaves nothing in `window` that will not be asked for, or that
    /// there is no room for.
    pub(super) fn list(
        &self,
        dir: BorrowedFd<'_>,
        key: FileKey,
        window: &mut Window,
        after: Option<&str>,
        limit: usize,
    ) -> VfsResult<Listing> {
        let listing = self.list_ahead(dir, key, window, after, limit);
        let over = listing.as_ref().map_or(true, |listing| listing.end);
        if !over && window.kept.is_none() {
            window.kept = self.kept_names.claim(window.names.len());
        }
        if over || window.kept.is_none() {
            *window = Window::default();
        }
        listing
    }

    fn list_ahead(
        &self,
        dir: BorrowedFd<'_>,
        key: FileKey,
        window: &mut Window,
        after: Option<&str>,
        limit: usize,
    ) -> VfsResult<Listing> {
        let mut after = after.map(order);
        if after.is_none() {
            *window = Window::default();
        }
        let mut listing = Listing::default();
        loop {
            let mut at = match window.position(after.as_ref()) {
                Some(at) => at,
                None => {
                    *window = self.read_window(dir, key, after.clone())?;
                    0
                }
            };
            while at < window.names.len() && listing.entries.len() < limit {
                listing.entries.extend(self.entry(dir, &window.names[at].1)?);
                at += 1;
            }
            let at_end = at == window.names.len();
            listing.end = at_end && window.complete;
            if listing.end || listing.entries.len() >= limit {
                return Ok(listing);
            }
            after = window.names.last().cloned();
        }
    }

    /// Reads the first names after `after`.
    fn read_window(
        &self,
        dir: BorrowedFd<'_>,
        key: FileKey,
        after: Option<Order>,
    ) -> VfsResult<Window> {
        let mut names = BTreeSet::new();
        let mut complete = true;
        each_name(dir, |name| {
            if !is_sayable(name) || self.is_hidden(key, name) {
                return;
            }
            let name = order(name);
            if after.as_ref().is_some_and(|after| name <= *after) {
                return;
            }
            names.insert(name);
            if names.len() > WINDOW {
                names.pop_last();
                complete = false;
            }
        })?;
        Ok(Window { after, names: names.into_iter().collect(), complete, read: true, kept: None })
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use holdfast_proto::types::VolumeId;

    use super::super::tests::Scratch;
    use super::*;

    #[test]
    fn a_window_goes_with_its_listing_and_where_there_is_no_room() {
        let scratch = Scratch::new();
        let volume = Volume::open(scratch.path(), VolumeId(7)).unwrap();
        let path = scratch.path().join("directory");
        std::fs::create_dir(&path).unwrap();
        for n in 0..10 {
            std::fs::write(path.join(n.to_string()), "").unwrap();
        }
        let opened = std::fs::File::open(&path).unwrap();
        let key = FileKey { volume: VolumeId(7), file: 1 };
        let mut window = Window::default();
        let mut list = |after, limit| {
            let listing = volume.list(opened.as_fd(), key, &mut window, after, limit).unwrap();
            let held = window.names.len();
            assert_eq!(volume.kept_names.count() % KEPT_MAX, held);
            (listing.entries.len(), listing.end, held)
        };
        assert_eq!(list(None, 4), (4, false, 10));
        assert_eq!(list(Some("3"), 4), (4, false, 10));
        assert_eq!(list(Some("7"), 4), (2, true, 0));
        let others = volume.kept_names.claim(KEPT_MAX).expect("room");
        assert_eq!(list(None, 4), (4, false, 0));
        assert_eq!(list(Some("3"), 4), (4, false, 0));
        drop(others);
        assert_eq!(list(Some("3"), 4), (4, false, 6));
    }
}
