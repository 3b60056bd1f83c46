//! Everything the storage knows, and the rules by which operations are let in.

use std::collections::BTreeMap;

use holdfast_proto::types::{FileKey, FileTime, Incarnation, NodeId, VolumeId};

use super::durable::Trees;
use super::tree::{Body, Id, Node, ROOT, STAGING, Tree};
use crate::vfs::name_rules::{is_own_folder, is_sayable};
use crate::vfs::{
    DirRef, Entry, FileKind, FileStat, FileTimes, NameRefusal, Place, VfsError, VfsResult,
    VolumePath, check_name, shown_attributes,
};

/// What happened to operations so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Applied.
    pub applied: u64,
    /// Refused because their incarnation was fenced after they were submitted.
    pub refused_zombies: u64,
    /// Those among the refused that would have changed something.
    pub refused_zombie_changes: u64,
    /// In flight when power went.
    pub lost_in_flight: u64,
    /// Power cuts so far.
    pub power_cuts: u64,
}

/// The storage.
#[derive(Debug)]
pub(super) struct State {
    pub(super) volume: VolumeId,
    pub(super) trees: Trees,
    pub(super) next_id: Id,
    /// Bytes that pages may take.
    pub(super) capacity: u64,
    /// Bytes that pages take.
    pub(super) used: u64,
    /// Open descriptors of each object.
    pub(super) opens: BTreeMap<Id, usize>,
    /// Counts power cuts: operations and descriptors of an earlier time are void.
    pub(super) boot: u64,
    /// The last incarnation of each node that was fenced.
    pub(super) fenced: BTreeMap<NodeId, Incarnation>,
    /// Operations that were submitted and neither applied nor dropped.
    pub(super) in_flight: BTreeMap<(NodeId, Incarnation), usize>,
    pub(super) submitted: u64,
    pub(super) counters: Counters,
}

/// The key of an object of a volume.
pub(super) fn key_in(volume: VolumeId, id: Id) -> FileKey {
    FileKey { volume, file: u128::from(id) << 64 | u128::from(id) }
}

impl State {
    pub(super) fn new(volume: VolumeId, capacity: u64, at: FileTime) -> State {
        State {
            volume,
            trees: Trees::new(at),
            next_id: STAGING + 1,
            capacity,
            used: 0,
            opens: BTreeMap::new(),
            boot: 0,
            fenced: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            submitted: 0,
            counters: Counters::default(),
        }
    }

    /// The tree that everyone sees.
    pub(super) fn seen(&mut self) -> &mut Tree {
        &mut self.trees.seen
    }

    /// The key of an object.
    pub(super) fn key(&self, id: Id) -> FileKey {
        key_in(self.volume, id)
    }

    /// The object of a key. Whether there is one is not said.
    pub(super) fn id(key: FileKey) -> Id {
        (key.file >> 64) as Id
    }

    pub(super) fn node(&self, id: Id) -> VfsResult<&Node> {
        self.trees.seen.nodes.get(&id).ok_or(VfsError::NotFound)
    }

    pub(super) fn node_mut(&mut self, id: Id) -> VfsResult<&mut Node> {
        self.trees.seen.nodes.get_mut(&id).ok_or(VfsError::NotFound)
    }

    /// Adds an object that has no name yet.
    pub(super) fn add(&mut self, node: Node) -> Id {
        let id = self.next_id;
        self.next_id += 1;
        self.trees.seen.nodes.insert(id, node);
        id
    }

    /// The object at a path; `None` when the path leads nowhere.
    pub(super) fn at_path(&self, path: &VolumePath) -> Option<Id> {
        path.components().try_fold(ROOT, |dir, name| self.trees.seen.exact(dir, name))
    }

    /// The object at a place, if it still is what the place says.
    pub(super) fn at_place(&self, place: &Place) -> VfsResult<Id> {
        let found = self.at_path(&place.path);
        match found {
            Some(id) if self.key(id) == place.key => Ok(id),
            _ => {
                Err(VfsError::Replaced { expected: place.key, found: found.map(|id| self.key(id)) })
            }
        }
    }

    /// A directory, if it still is the one meant.
    pub(super) fn dir(&self, dir: &DirRef) -> VfsResult<Id> {
        let id = self.at_place(&dir.place())?;
        match self.node(id)?.kind() {
            FileKind::Directory => Ok(id),
            _ => Err(VfsError::NotADirectory),
        }
    }

    /// True when `name` in `dir` is kept from clients.
    pub(super) fn is_hidden(dir: Id, name: &str) -> bool {
        dir == ROOT && is_own_folder(name)
    }

    /// Refuses names that cannot be given in `dir`.
    pub(super) fn check_new_name(dir: Id, name: &str) -> VfsResult<()> {
        check_name(name)?;
        if State::is_hidden(dir, name) {
            return Err(VfsError::InvalidName(NameRefusal::Reserved));
        }
        Ok(())
    }

    /// Everything about an object.
    pub(super) fn stat(&self, id: Id) -> VfsResult<FileStat> {
        let node = self.node(id)?;
        let metadata = &node.metadata;
        let (len, allocated) = match &node.body {
            Body::File(pages) => (pages.len(), pages.size().max(metadata.allocation)),
            Body::Directory(_) => (0, 0),
        };
        let is_named = node.place.is_some() || id == ROOT;
        Ok(FileStat {
            key: self.key(id),
            kind: node.kind(),
            len,
            allocated,
            times: FileTimes {
                creation: metadata.creation,
                access: metadata.access,
                write: metadata.write,
                change: metadata.change,
            },
            attributes: shown_attributes(node.kind(), metadata.attributes),
            links: u32::from(is_named),
        })
    }

    /// What a name denotes in a directory, as clients see it.
    pub(super) fn find(&self, dir: Id, name: &str) -> VfsResult<Option<Entry>> {
        if State::is_hidden(dir, name) {
            return Ok(None);
        }
        match self.trees.seen.folded(dir, name) {
            Some((name, id)) => Ok(Some(Entry { name, stat: self.stat(id)? })),
            None => Ok(None),
        }
    }

    /// The entries of a directory that clients see, unordered.
    pub(super) fn visible(&self, dir: Id) -> impl Iterator<Item = (&String, Id)> {
        let shown = move |name: &str| is_sayable(name) && !State::is_hidden(dir, name);
        self.trees.seen.entries(dir).filter(move |(name, _)| shown(name))
    }

    /// Changes the data of a file, keeping count of the room it takes.
    pub(super) fn change_data<T>(
        &mut self,
        id: Id,
        growth: impl FnOnce(&super::pages::Pages) -> u64,
        change: impl FnOnce(&mut super::pages::Pages, &mut super::tree::Metadata) -> T,
    ) -> VfsResult<T> {
        let room = self.capacity.saturating_sub(self.used);
        let node = self.node_mut(id)?;
        let Body::File(pages) = &mut node.body else { return Err(VfsError::IsADirectory) };
        if growth(pages) > room {
            return Err(VfsError::NoSpace);
        }
        let before = pages.size();
        let result = change(pages, &mut node.metadata);
        let after = pages.size();
        self.used = self.used + after - before;
        Ok(result)
    }

    /// Removes an object's name, and the object too unless it is open.
    pub(super) fn remove(&mut self, id: Id) {
        self.trees.seen.unlink(id);
        self.collect(id);
    }

    /// Forgets an object that has neither a name nor a descriptor.
    pub(super) fn collect(&mut self, id: Id) {
        let is_open = self.opens.get(&id).is_some_and(|count| *count > 0);
        let Some(node) = self.trees.seen.nodes.get(&id) else { return };
        if is_open || node.place.is_some() || id == ROOT {
            return;
        }
        if let Body::File(pages) = &node.body {
            self.used -= pages.size();
        }
        self.trees.forget(id);
    }

    /// Power goes: see [`Trees::power_cut`].
    pub(super) fn power_cut(&mut self, keep: &mut dyn FnMut() -> bool) {
        self.trees.power_cut(keep);
        self.opens.clear();
        self.boot += 1;
        self.counters.power_cuts += 1;
        let size = |node: &Node| match &node.body {
            Body::File(pages) => pages.size(),
            Body::Directory(_) => 0,
        };
        self.used = self.trees.seen.nodes.values().map(size).sum();
    }
}
