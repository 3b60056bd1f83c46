//! Changes of one row together with the indexes that follow from it. Nothing else writes to the
//! tables of files and opens.

use std::sync::Arc;

use holdfast_proto::types::OpenId;

use super::*;
use crate::command::OpenRef;
use crate::state::{Binding, FileState, Lease, LeaseId, Open};

impl Step<'_> {
    /// A file's state, made if there is none.
    pub(super) fn file_mut(&mut self, key: FileKey) -> &mut FileState {
        Arc::make_mut(self.state.files.entry(key).or_default())
    }

    /// Marks a file: what waits there is decided anew.
    pub(super) fn touch(&mut self, file: FileKey) {
        self.touched_files.insert(file);
    }

    /// Forgets the file if nothing is left to say about it.
    pub(super) fn tidy(&mut self, key: FileKey) {
        if self.state.file(key).is_some_and(FileState::is_idle) {
            self.state.files.remove(&key);
        }
    }

    /// Adds an open to its file.
    pub(super) fn add_open(&mut self, file: FileKey, open: Open) {
        self.state.indexes.link_open(file, &open);
        self.file_mut(file).opens.insert(open.id, Arc::new(open));
    }

    /// Changes an open in place.
    pub(super) fn change_open(&mut self, id: OpenId, change: impl FnOnce(&mut Open)) {
        let Some(file) = self.state.file_of(id) else { return };
        let Some(open) = self.state.open(id).cloned() else { return };
        self.state.indexes.unlink_open(file, &open);
        let mut changed = open;
        change(&mut changed);
        self.state.indexes.link_open(file, &changed);
        self.file_mut(file).opens.insert(id, Arc::new(changed));
    }

    /// Binds an open anew: the only change that comes by the hundred thousand in one entry, so
    /// nothing is indexed again but what follows from the binding.
    pub(super) fn bind_open(&mut self, id: OpenId, binding: Binding) {
        let Some(file) = self.state.file_of(id) else { return };
        let State { files, indexes, .. } = &mut *self.state;
        let Some(state) = files.get_mut(&file) else { return };
        let Some(open) = Arc::make_mut(state).open_mut(id) else { return };
        indexes.unlink_binding(open);
        open.binding = binding;
        indexes.link_binding(open);
    }

    /// Takes an open out of its file, and gives it back.
    pub(super) fn take_open(&mut self, id: OpenId) -> Option<(FileKey, Open)> {
        let file = self.state.file_of(id)?;
        let open = self.file_mut(file).opens.remove(&id)?;
        self.state.indexes.unlink_open(file, &open);
        Some((file, Arc::unwrap_or_clone(open)))
    }

    /// Changes what a file's lease is, or makes it be.
    pub(super) fn change_lease(
        &mut self,
        file: FileKey,
        id: LeaseId,
        change: impl FnOnce(&mut FileState),
    ) {
        if let Some(lease) = self.lease_of(file, id) {
            self.state.indexes.unlink_lease(file, id, &lease);
        }
        change(self.file_mut(file));
        if let Some(lease) = self.lease_of(file, id) {
            self.state.indexes.link_lease(file, id, &lease);
        }
    }

    fn lease_of(&self, file: FileKey, id: LeaseId) -> Option<Lease> {
        self.state.file(file)?.lease(id).cloned()
    }

    /// The open as its present server may use it: of that generation, and served by `life`.
    pub(super) fn own_open(&self, open: OpenRef, life: NodeLife) -> Result<&Open, Refusal> {
        self.state
            .open_at(open)
            .filter(|found| found.bound_to().is_some_and(|(bound, _)| bound == life))
            .ok_or(Refusal::StaleOpen)
    }

    /// The same, with its file.
    pub(super) fn own_file(&self, open: OpenRef, life: NodeLife) -> Result<FileKey, Refusal> {
        self.own_open(open, life)?;
        self.state.file_of(open.open).ok_or(Refusal::StaleOpen)
    }
}
