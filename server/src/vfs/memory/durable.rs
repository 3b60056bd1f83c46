//! What a power cut leaves.
//!
//! Beside the tree that everyone sees stands the tree that is stable. A sync copies from the one
//! to the other: of a file its data and metadata, of a directory the names that were given, moved
//! and taken there. A move is stable in both directories at once, as a journal makes it. A file
//! whose name is stable and whose data never was comes back empty and without its mark.

use holdfast_proto::types::FileTime;

use super::tree::{Body, Id, Node, ROOT, STAGING, Tree};

/// The tree as it is seen, and as it is stable.
#[derive(Debug)]
pub(super) struct Trees {
    pub(super) seen: Tree,
    pub(super) stable: Tree,
}

impl Trees {
    pub(super) fn new(at: FileTime) -> Trees {
        let seen = Tree::new(at);
        Trees { stable: seen.clone(), seen }
    }

    /// Makes data and metadata of one object stable. Its name is its directory's.
    pub(super) fn sync(&mut self, id: Id) {
        let Some(node) = self.seen.nodes.get(&id) else { return };
        let (metadata, body) = (node.metadata.clone(), node.body.clone());
        let kept = stable_node(&self.seen, &mut self.stable, id);
        kept.metadata = metadata;
        match body {
            Body::File(pages) => kept.body = Body::File(pages),
            Body::Directory(_) => self.sync_names(id),
        }
    }

    /// Makes the names in a directory stable as they are seen now.
    pub(super) fn sync_names(&mut self, dir: Id) {
        let mut ids: Vec<Id> = self.stable.entries(dir).map(|(_, id)| id).collect();
        ids.extend(self.seen.entries(dir).map(|(_, id)| id));
        for id in ids {
            self.sync_place(id);
        }
    }

    /// Makes an object's place stable.
    fn sync_place(&mut self, id: Id) {
        if self.seen.place(id) == self.stable.place(id) && self.stable.nodes.contains_key(&id) {
            return;
        }
        let Some((dir, name)) = self.seen.place(id).cloned() else {
            self.stable.unlink(id);
            self.stable.nodes.remove(&id);
            return;
        };
        if !self.stable.nodes.contains_key(&dir) {
            self.sync_place(dir);
        }
        // A directory that went below one of its own former children: the child's move out of it
        // came first, and is stable first.
        while self.stable.is_above(id, dir) {
            let seen = &self.seen;
            let stable = &self.stable;
            let mut chain = std::iter::successors(Some(dir), |at| Some(seen.place(*at)?.0));
            let moved = chain.find(|at| seen.place(*at) != stable.place(*at));
            self.sync_place(moved.expect("what is seen has no cycle"));
        }
        let occupant = self.stable.exact(dir, &name);
        if let Some(occupant) = occupant {
            self.stable.unlink(occupant);
        }
        stable_node(&self.seen, &mut self.stable, id);
        self.stable.link(id, dir, &name);
        // What had the name is elsewhere or nowhere by now, and that became stable with it.
        if let Some(occupant) = occupant {
            self.sync_place(occupant);
        }
    }

    /// Forgets an object that has no name and no descriptor any more.
    pub(super) fn forget(&mut self, id: Id) {
        self.seen.nodes.remove(&id);
        if self.stable.place(id).is_none() {
            self.stable.nodes.remove(&id);
        }
    }

    /// Power goes. Of each change that no sync has made stable, `keep` says whether it got there
    /// all the same. What is seen afterwards is what is stable.
    pub(super) fn power_cut(&mut self, keep: &mut dyn FnMut() -> bool) {
        let mut ids: Vec<Id> = self.seen.nodes.keys().copied().collect();
        ids.extend(self.stable.nodes.keys().filter(|id| !self.seen.nodes.contains_key(id)));
        for id in ids.iter().copied().filter(|id| !matches!(*id, ROOT | STAGING)) {
            if self.seen.place(id) != self.stable.place(id) && keep() {
                self.sync_place(id);
            }
        }
        for id in ids {
            let Some(new) = self.seen.nodes.get(&id) else { continue };
            let Some(old) = self.stable.nodes.get_mut(&id) else { continue };
            if new.metadata != old.metadata && keep() {
                old.metadata = new.metadata.clone();
            }
            if let (Body::File(old), Body::File(new)) = (&mut old.body, &new.body) {
                old.tear(new, keep);
            }
        }
        let stable = &self.stable;
        let lost: Vec<Id> =
            stable.nodes.keys().copied().filter(|id| !stable.is_above(ROOT, *id)).collect();
        for id in lost {
            self.stable.nodes.remove(&id);
        }
        self.seen = self.stable.clone();
    }
}

/// The stable form of an object, made empty if it has none yet.
fn stable_node<'a>(seen: &Tree, stable: &'a mut Tree, id: Id) -> &'a mut Node {
    stable.nodes.entry(id).or_insert_with(|| {
        let node = seen.nodes.get(&id).expect("only what is seen becomes stable");
        Node::new(node.kind(), node.metadata.creation)
    })
}
