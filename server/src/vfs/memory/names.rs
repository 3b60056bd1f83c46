//! Operations on names, each one step on the state.

use holdfast_proto::types::{FileKey, FileTime};

use super::metadata;
use super::state::State;
use super::tree::{Id, Node, ROOT, STAGING};
use crate::vfs::name_rules::TRIAL_FOLDER;
use crate::vfs::{
    DirRef, FileKind, IntentMark, MAX_DEPTH, Marked, NewNode, Place, Removed, RenameMode, Renamed,
    Resolved, Staged, VfsError, VfsResult, VolumePath, check_name,
};

impl State {
    /// The directory that a share exports.
    pub(super) fn share_root(&self, path: &VolumePath) -> VfsResult<DirRef> {
        let mut here =
            DirRef { key: self.key(ROOT), path: VolumePath::root(), ancestors: Vec::new() };
        for name in path.components() {
            let dir = State::id(here.key);
            let next = self.trees.seen.exact(dir, name).filter(|_| !State::is_hidden(dir, name));
            here = here.child_dir(name, self.key(self.is_dir(next)?));
        }
        Ok(here)
    }

    /// Walks down from a share's root.
    pub(super) fn resolve(&self, root: &DirRef, components: &[String]) -> VfsResult<Resolved> {
        let (name, above) = components.split_last().ok_or(VfsError::InvalidPath)?;
        if root.depth() + components.len() > MAX_DEPTH {
            return Err(VfsError::TooDeep);
        }
        for component in components {
            check_name(component)?;
        }
        let mut id = self.dir(root)?;
        let mut parent = root.clone();
        for asked in above {
            let found = self.trees.seen.folded(id, asked).filter(|_| !State::is_hidden(id, asked));
            let (real, next) = found.ok_or(VfsError::PathNotFound)?;
            id = self.is_dir(Some(next))?;
            parent = parent.child_dir(&real, self.key(id));
        }
        Ok(Resolved { leaf: self.find(id, name)?, parent, name: name.clone() })
    }

    fn is_dir(&self, id: Option<Id>) -> VfsResult<Id> {
        let id = id.ok_or(VfsError::PathNotFound)?;
        match self.node(id)?.kind() {
            FileKind::Directory => Ok(id),
            _ => Err(VfsError::PathNotFound),
        }
    }

    /// Makes an object under its name.
    pub(super) fn create(
        &mut self,
        dir: &DirRef,
        name: &str,
        new: &NewNode,
        at: FileTime,
    ) -> VfsResult<FileKey> {
        let parent = self.dir(dir)?;
        State::check_new_name(parent, name)?;
        if self.trees.seen.exact(parent, name).is_some() {
            return Err(VfsError::AlreadyExists);
        }
        let node = furnished(new, at)?;
        let id = self.add(node);
        self.seen().link(id, parent, name);
        self.seen().touch(parent, at);
        if new.stable {
            self.trees.sync(id);
        }
        Ok(self.key(id))
    }

    /// The folder for trials, made if it is not there.
    pub(super) fn trial_folder(&mut self, at: FileTime) -> VfsResult<DirRef> {
        let id = match self.trees.seen.exact(ROOT, TRIAL_FOLDER) {
            Some(id) => id,
            None => {
                let id = self.add(Node::new(FileKind::Directory, at));
                self.seen().link(id, ROOT, TRIAL_FOLDER);
                id
            }
        };
        let root = self.share_root(&VolumePath::root())?;
        Ok(root.child_dir(TRIAL_FOLDER, self.key(id)))
    }

    /// Makes a marked object in the staging folder.
    pub(super) fn stage(
        &mut self,
        mark: IntentMark,
        new: &NewNode,
        at: FileTime,
    ) -> VfsResult<Staged> {
        let mut node = furnished(new, at)?;
        node.metadata.mark = Some(mark);
        self.discard(mark);
        let id = self.add(node);
        self.seen().link(id, STAGING, &staged_name(mark));
        if new.stable {
            self.trees.sync(id);
        }
        Ok(Staged { mark, key: self.key(id), kind: new.kind })
    }

    /// Gives a staged object its name.
    pub(super) fn put_in_place(
        &mut self,
        staged: &Staged,
        dir: &DirRef,
        name: &str,
        at: FileTime,
    ) -> VfsResult<FileKey> {
        let parent = self.dir(dir)?;
        State::check_new_name(parent, name)?;
        let found = self.trees.seen.exact(STAGING, &staged_name(staged.mark));
        let id = found.ok_or(VfsError::NotFound)?;
        if self.key(id) != staged.key {
            let found = Some(self.key(id));
            return Err(VfsError::Replaced { expected: staged.key, found });
        }
        if self.trees.seen.exact(parent, name).is_some() {
            return Err(VfsError::AlreadyExists);
        }
        self.seen().link(id, parent, name);
        self.seen().touch(parent, at);
        Ok(staged.key)
    }

    /// The mark of what exactly this name denotes.
    pub(super) fn find_mark(&self, dir: &DirRef, name: &str) -> VfsResult<Option<Marked>> {
        let parent = self.dir(dir)?;
        let found = self.trees.seen.exact(parent, name).filter(|_| !State::is_hidden(parent, name));
        let Some(id) = found else { return Ok(None) };
        let node = self.node(id)?;
        let (key, kind) = (self.key(id), node.kind());
        Ok(node.metadata.mark.map(|mark| Marked { mark, key, kind }))
    }

    /// The mark of the object at a place.
    pub(super) fn mark_at(&self, place: &Place) -> VfsResult<Option<IntentMark>> {
        Ok(self.node(self.at_place(place)?)?.metadata.mark)
    }

    /// Removes a mark, if it is this one.
    pub(super) fn clear_mark(&mut self, place: &Place, mark: IntentMark) -> VfsResult<()> {
        let id = self.at_place(place)?;
        let metadata = &mut self.node_mut(id)?.metadata;
        if metadata.mark == Some(mark) {
            metadata.mark = None;
        }
        Ok(())
    }

    /// Removes what an intent has staged.
    pub(super) fn discard(&mut self, mark: IntentMark) {
        if let Some(id) = self.trees.seen.exact(STAGING, &staged_name(mark)) {
            self.remove(id);
        }
    }

    /// The intents that have something staged.
    pub(super) fn staged_marks(&self, limit: usize) -> Vec<IntentMark> {
        let marks = self.trees.seen.entries(STAGING);
        marks
            .filter_map(|(name, _)| u128::from_str_radix(name, 16).ok().map(IntentMark))
            .take(limit)
            .collect()
    }

    /// Moves a name.
    pub(super) fn rename(
        &mut self,
        from: (&DirRef, &str, FileKey),
        dir: &DirRef,
        name: &str,
        mode: RenameMode,
        at: FileTime,
    ) -> VfsResult<Renamed> {
        let (old_dir, old_name, key) = from;
        if dir.key == key || dir.ancestors.contains(&key) {
            return Err(VfsError::IntoItself);
        }
        let old = self.dir(old_dir)?;
        let new = self.dir(dir)?;
        State::check_new_name(new, name)?;
        let target = self.trees.seen.exact(new, name);
        let is_there = target.is_some_and(|id| self.key(id) == key);
        match self.trees.seen.exact(old, old_name).map(|id| self.key(id)) {
            Some(found) if found == key => {}
            _ if is_there => return Ok(Renamed::AlreadyThere),
            Some(found) => {
                return Err(VfsError::Replaced { expected: key, found: Some(found) });
            }
            None => return Err(VfsError::NotFound),
        }
        if is_there {
            return Ok(Renamed::AlreadyThere);
        }
        if self.trees.seen.is_above(State::id(key), new) {
            return Err(VfsError::IntoItself);
        }
        if let Some(target) = target {
            self.may_replace(target, mode)?;
            self.remove(target);
        }
        self.seen().link(State::id(key), new, name);
        self.seen().touch(old, at);
        self.seen().touch(new, at);
        Ok(Renamed::Moved)
    }

    /// Decides whether a rename may take the name of `target`.
    fn may_replace(&self, target: Id, mode: RenameMode) -> VfsResult<()> {
        let found = self.key(target);
        match mode {
            RenameMode::NeverReplace => Err(VfsError::AlreadyExists),
            RenameMode::Replace(expected) if found != expected => {
                Err(VfsError::Replaced { expected, found: Some(found) })
            }
            RenameMode::Replace(_) if self.node(target)?.kind() == FileKind::Directory => {
                Err(VfsError::IsADirectory)
            }
            RenameMode::Replace(_) => Ok(()),
        }
    }

    /// Takes a name away.
    pub(super) fn remove_name(
        &mut self,
        dir: &DirRef,
        name: &str,
        key: FileKey,
        at: FileTime,
    ) -> VfsResult<Removed> {
        let parent = self.dir(dir)?;
        State::check_new_name(parent, name)?;
        let Some(id) = self.trees.seen.exact(parent, name) else {
            return Ok(Removed::AlreadyGone);
        };
        if self.key(id) != key {
            return Err(VfsError::Replaced { expected: key, found: Some(self.key(id)) });
        }
        if self.trees.seen.entries(id).next().is_some() {
            return Err(VfsError::DirectoryNotEmpty);
        }
        self.remove(id);
        self.seen().touch(parent, at);
        Ok(Removed::Gone)
    }
}

/// A new object with everything it is to have.
fn furnished(new: &NewNode, at: FileTime) -> VfsResult<Node> {
    if new.kind == FileKind::Symlink {
        return Err(VfsError::NotSupported);
    }
    let mut node = Node::new(new.kind, at);
    metadata::keep_attributes(&mut node.metadata, new.attributes);
    node.metadata.creation = new.creation.unwrap_or(at);
    node.metadata.security = new.security.clone();
    if new.kind == FileKind::File {
        node.metadata.allocation = new.allocation;
    }
    for (name, value) in &new.attributes_extended {
        metadata::set_extended(&mut node.metadata, name, value)?;
    }
    Ok(node)
}

/// Staged objects are called after their intent.
fn staged_name(mark: IntentMark) -> String {
    format!("{:032x}", mark.0)
}
