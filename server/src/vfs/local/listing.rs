//! Directories in a stable order.
//!
//! A directory comes in the file system's own order, which no name can resume. A window of the
//! names that come next is kept sorted, and read again when it is used up, so that the memory of
//! one listing is bounded however large the directory is.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

use holdfast_proto::types::{FileKey, FoldedName};

use super::volume::Volume;
use super::walk::each_name;
use crate::vfs::name_rules::is_sayable;
use crate::vfs::{Listing, VfsResult};

/// The most names that are kept ahead for one descriptor.
const WINDOW: usize = 16_384;

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
    /// The entries after a name.
    pub(super) fn list(
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
        Ok(Window { after, names: names.into_iter().collect(), complete, read: true })
    }
}
