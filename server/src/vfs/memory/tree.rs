//! The tree of a volume: objects by id, each with the one name it has.
//!
//! Pure: every change is a method that is told the time. Names are kept and compared exactly, as
//! POSIX does; matching without case is a look through a directory.

use std::collections::BTreeMap;

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileTime, fold_char};

use super::pages::Pages;
use crate::vfs::{FileKind, IntentMark};

/// The id of an object: never reused.
pub(super) type Id = u64;

/// The root.
pub(super) const ROOT: Id = 1;
/// The staging folder.
pub(super) const STAGING: Id = 2;

/// What is kept with an object beside its data and names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Metadata {
    pub(super) attributes: FileAttributes,
    pub(super) creation: FileTime,
    pub(super) access: FileTime,
    pub(super) write: FileTime,
    pub(super) change: FileTime,
    pub(super) security: Option<Bytes>,
    /// By name as it was first spelt.
    pub(super) extended: BTreeMap<String, Bytes>,
    pub(super) mark: Option<IntentMark>,
    /// Room set aside.
    pub(super) allocation: u64,
}

impl Metadata {
    pub(super) fn new(at: FileTime) -> Metadata {
        Metadata {
            attributes: FileAttributes::NONE,
            creation: at,
            access: at,
            write: at,
            change: at,
            security: None,
            extended: BTreeMap::new(),
            mark: None,
            allocation: 0,
        }
    }
}

/// Data of a file, or names of a directory.
#[derive(Clone, Debug)]
pub(super) enum Body {
    File(Pages),
    Directory(BTreeMap<String, Id>),
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) metadata: Metadata,
    pub(super) body: Body,
    /// Directory and name; `None` for the root and for what was removed while open.
    pub(super) place: Option<(Id, String)>,
}

impl Node {
    pub(super) fn new(kind: FileKind, at: FileTime) -> Node {
        let body = match kind {
            FileKind::Directory => Body::Directory(BTreeMap::new()),
            _ => Body::File(Pages::default()),
        };
        Node { metadata: Metadata::new(at), body, place: None }
    }

    pub(super) fn kind(&self) -> FileKind {
        match self.body {
            Body::File(_) => FileKind::File,
            Body::Directory(_) => FileKind::Directory,
        }
    }
}

/// All objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: BTreeMap<Id, Node>,
}

impl Tree {
    /// A root with a staging folder.
    pub(super) fn new(at: FileTime) -> Tree {
        let mut tree = Tree::default();
        tree.nodes.insert(ROOT, Node::new(FileKind::Directory, at));
        tree.nodes.insert(STAGING, Node::new(FileKind::Directory, at));
        tree.link(STAGING, ROOT, crate::vfs::name_rules::STAGING_FOLDER);
        tree
    }

    /// The names of a directory; none for anything else.
    pub(super) fn entries(&self, dir: Id) -> impl Iterator<Item = (&String, Id)> {
        let entries = match self.nodes.get(&dir).map(|node| &node.body) {
            Some(Body::Directory(entries)) => Some(entries),
            _ => None,
        };
        entries.into_iter().flatten().map(|(name, id)| (name, *id))
    }

    /// What exactly this name denotes.
    pub(super) fn exact(&self, dir: Id, name: &str) -> Option<Id> {
        match &self.nodes.get(&dir)?.body {
            Body::Directory(entries) => entries.get(name).copied(),
            Body::File(_) => None,
        }
    }

    /// What this name denotes, exactly first, without case otherwise, with its real spelling.
    pub(super) fn folded(&self, dir: Id, name: &str) -> Option<(String, Id)> {
        if let Some(id) = self.exact(dir, name) {
            return Some((name.to_owned(), id));
        }
        let folded = |name: &str| name.chars().map(fold_char).collect::<Vec<_>>();
        let wanted = folded(name);
        let (name, id) = self.entries(dir).find(|(name, _)| folded(name) == wanted)?;
        Some((name.clone(), id))
    }

    /// Where an object is.
    pub(super) fn place(&self, id: Id) -> Option<&(Id, String)> {
        self.nodes.get(&id)?.place.as_ref()
    }

    /// Gives an object its name, in place of the one it had. The name must be free.
    pub(super) fn link(&mut self, id: Id, dir: Id, name: &str) {
        self.unlink(id);
        if let Some(Node { body: Body::Directory(entries), .. }) = self.nodes.get_mut(&dir) {
            let before = entries.insert(name.to_owned(), id);
            assert!(before.is_none(), "the name was taken");
        } else {
            panic!("names are given in directories");
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.place = Some((dir, name.to_owned()));
        }
    }

    /// Takes an object's name away.
    pub(super) fn unlink(&mut self, id: Id) {
        let place = self.nodes.get_mut(&id).and_then(|node| node.place.take());
        let Some((dir, name)) = place else { return };
        if let Some(Node { body: Body::Directory(entries), .. }) = self.nodes.get_mut(&dir) {
            entries.remove(&name);
        }
    }

    /// Notes that the names of a directory have changed.
    pub(super) fn touch(&mut self, dir: Id, at: FileTime) {
        if let Some(node) = self.nodes.get_mut(&dir) {
            node.metadata.write = at;
            node.metadata.change = at;
        }
    }

    /// True when `id` is `below` or a directory above it.
    pub(super) fn is_above(&self, id: Id, below: Id) -> bool {
        let mut at = Some(below);
        while let Some(here) = at {
            if here == id {
                return true;
            }
            at = self.place(here).map(|place| place.0);
        }
        false
    }
}
