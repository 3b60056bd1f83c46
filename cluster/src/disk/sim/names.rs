//! The directory: names as a node sees them, and as a power cut leaves them.

use std::collections::{BTreeMap, BTreeSet};

use super::SimLosses;
use super::inode::Mood;
use super::random::SimRandom;

/// A file, whatever its name.
pub(super) type InodeNumber = u64;

#[derive(Clone)]
enum Change {
    Linked { name: String, inode: InodeNumber },
    Renamed { from: String, to: String, inode: InodeNumber },
    Removed { name: String, inode: InodeNumber },
}

#[derive(Default)]
pub(super) struct Names {
    current: BTreeMap<String, InodeNumber>,
    durable: BTreeMap<String, InodeNumber>,
    /// Changes since the last sync that covered them, oldest first.
    pending: Vec<(u64, Change)>,
    changes: u64,
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<InodeNumber> {
        self.current.get(name).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, InodeNumber)> {
        self.current.iter().map(|(name, &inode)| (name, inode))
    }

    pub(super) fn link(&mut self, name: &str, inode: InodeNumber) {
        self.current.insert(name.to_owned(), inode);
        self.note(Change::Linked { name: name.to_owned(), inode });
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(inode) = self.current.remove(from) else { return false };
        self.current.insert(to.to_owned(), inode);
        self.note(Change::Renamed { from: from.to_owned(), to: to.to_owned(), inode });
        true
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        let Some(inode) = self.current.remove(name) else { return false };
        self.note(Change::Removed { name: name.to_owned(), inode });
        true
    }

    fn note(&mut self, change: Change) {
        self.changes += 1;
        self.pending.push((self.changes, change));
    }

    /// The number of the last change: what a sync that begins now covers.
    pub(super) fn begin_sync(&self) -> u64 {
        self.changes
    }

    pub(super) fn end_sync(&mut self, covered: u64) {
        let later = self.pending.iter().position(|(n, _)| *n > covered);
        let later = self.pending.split_off(later.unwrap_or(self.pending.len()));
        for (_, change) in std::mem::replace(&mut self.pending, later) {
            apply(&mut self.durable, change);
        }
    }

    /// Nothing of what a failed sync covered will be written any more.
    pub(super) fn fail_sync(&mut self, covered: u64) {
        self.pending.retain(|(n, _)| *n > covered);
    }

    /// Leaves the names that a power cut leaves: usually a prefix of the changes, as a journal
    /// would, and sometimes any of them.
    pub(super) fn crash(&mut self, mood: Mood, random: &mut SimRandom, losses: &mut SimLosses) {
        let pending = std::mem::take(&mut self.pending);
        let journal = random.percent(50);
        let mut cut = false;
        for (_, change) in pending {
            let kept = mood.keeps(random) && !(journal && cut);
            if kept {
                apply(&mut self.durable, change);
                continue;
            }
            cut = true;
            match change {
                Change::Removed { .. } => losses.names_returned += 1,
                Change::Linked { .. } | Change::Renamed { .. } => losses.names_lost += 1,
            }
        }
        self.current.clone_from(&self.durable);
    }

    /// The files that still have a name, now or after a power cut.
    pub(super) fn reachable(&self) -> BTreeSet<InodeNumber> {
        let pending = self.pending.iter().map(|(_, change)| match change {
            Change::Linked { inode, .. }
            | Change::Renamed { inode, .. }
            | Change::Removed { inode, .. } => *inode,
        });
        self.current.values().chain(self.durable.values()).copied().chain(pending).collect()
    }
}

fn apply(names: &mut BTreeMap<String, InodeNumber>, change: Change) {
    match change {
        Change::Linked { name, inode } => {
            names.insert(name, inode);
        }
        Change::Renamed { from, to, inode } => {
            if names.get(&from) == Some(&inode) {
                names.remove(&from);
            }
            names.insert(to, inode);
        }
        Change::Removed { name, inode } => {
            if names.get(&name) == Some(&inode) {
                names.remove(&name);
            }
        }
    }
}
