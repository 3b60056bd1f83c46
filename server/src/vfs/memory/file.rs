//! An open descriptor. It keeps its object alive, and is void after a power cut.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey, FileTime, FoldedName};

use super::metadata;
use super::state::State;
use super::store::{Boot, Store};
use super::tree::{Body, Id};
use super::world::Operation;
use crate::vfs::name_rules::check_attribute_name;
use crate::vfs::{
    Entry, FileKind, FileStat, Issuer, Listing, OpenAccess, Overwrite, Place, SetTimes, VfsError,
    VfsFile, VfsResult,
};

/// A descriptor.
#[derive(Debug)]
pub(super) struct MemoryFile {
    store: Arc<Store>,
    by: Issuer,
    boot: Boot,
    id: Id,
    key: FileKey,
    kind: FileKind,
    writable: bool,
}

impl MemoryFile {
    /// Opens what is at a place. The count of descriptors rises with the operation itself, so
    /// that nothing can remove the object in between.
    pub(super) async fn open(
        store: &Arc<Store>,
        by: Issuer,
        place: &Place,
        access: OpenAccess,
    ) -> VfsResult<MemoryFile> {
        let operation = Operation::Open { key: place.key };
        let (place, opening) = (place.clone(), Arc::clone(store));
        store
            .submit(by, None, operation, move |state, _| {
                let id = state.at_place(&place)?;
                let kind = state.node(id)?.kind();
                if kind == FileKind::Directory && access.write {
                    return Err(VfsError::IsADirectory);
                }
                *state.opens.entry(id).or_default() += 1;
                let (boot, key, writable) = (state.boot, place.key, access.write);
                Ok(MemoryFile { store: opening, by, boot, id, key, kind, writable })
            })
            .await
    }

    async fn submit<T, F>(&self, operation: Operation, step: F) -> VfsResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut State, Id, FileTime) -> VfsResult<T> + Send + 'static,
    {
        let id = self.id;
        let step = move |state: &mut State, at| step(state, id, at);
        self.store.submit(self.by, Some(self.boot), operation, step).await
    }

    /// Changes metadata, and ChangeTime with it.
    async fn set_metadata<F>(&self, set: F) -> VfsResult<()>
    where
        F: FnOnce(&mut super::tree::Metadata) -> VfsResult<()> + Send + 'static,
    {
        self.submit(Operation::SetMetadata { key: self.key }, move |state, id, at| {
            let metadata = &mut state.node_mut(id)?.metadata;
            set(metadata)?;
            metadata.change = at;
            Ok(())
        })
        .await
    }

    fn must_be(&self, kind: FileKind) -> VfsResult<()> {
        match (kind, self.kind) {
            (FileKind::File, FileKind::Directory) => Err(VfsError::IsADirectory),
            (FileKind::Directory, FileKind::File) => Err(VfsError::NotADirectory),
            _ => Ok(()),
        }
    }

    fn must_be_writable(&self) -> VfsResult<()> {
        self.must_be(FileKind::File)?;
        if self.writable { Ok(()) } else { Err(VfsError::AccessDenied) }
    }

    /// Writes; `at_end`: only if the file ends there.
    async fn write(&self, offset: u64, data: Bytes, stable: bool, at_end: bool) -> VfsResult<()> {
        self.must_be_writable()?;
        check_end(offset, data.len())?;
        let operation = Operation::Write { key: self.key, offset, data: data.clone(), stable };
        self.submit(operation, move |state, id, at| {
            match &state.node(id)?.body {
                Body::File(pages) if at_end && pages.len() != offset => {
                    return Err(VfsError::EndMoved);
                }
                Body::File(_) | Body::Directory(_) => {}
            }
            let growth = |pages: &super::pages::Pages| pages.growth(offset, data.len());
            state.change_data(id, growth, |pages, metadata| {
                pages.write(offset, &data);
                metadata.write = at;
                metadata.change = at;
            })?;
            if stable {
                state.trees.sync(id);
            }
            Ok(())
        })
        .await
    }

    async fn resize(
        &self,
        len: u64,
        step: fn(u64, u64) -> Option<u64>,
        room: u64,
    ) -> VfsResult<()> {
        self.submit(Operation::Resize { key: self.key, len }, move |state, id, at| {
            state.change_data(
                id,
                |_| 0,
                |pages, metadata| {
                    metadata.allocation = room;
                    if let Some(len) = step(pages.len(), len) {
                        pages.set_len(len);
                        metadata.write = at;
                    }
                    metadata.change = at;
                },
            )
        })
        .await
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.store.peek(|state| {
            if state.boot != self.boot {
                return;
            }
            if let Some(count) = state.opens.get_mut(&self.id) {
                *count -= 1;
                if *count == 0 {
                    state.opens.remove(&self.id);
                }
            }
            state.collect(self.id);
        });
    }
}

/// Refuses what files cannot be as large as.
fn check_end(offset: u64, len: usize) -> VfsResult<()> {
    let end = offset.checked_add(len as u64).filter(|end| i64::try_from(*end).is_ok());
    end.map(|_| ()).ok_or(VfsError::TooLarge)
}

#[async_trait]
impl VfsFile for MemoryFile {
    fn key(&self) -> FileKey {
        self.key
    }

    fn kind(&self) -> FileKind {
        self.kind
    }

    async fn read_at(&self, offset: u64, len: u32) -> VfsResult<Bytes> {
        self.must_be(FileKind::File)?;
        check_end(offset, len as usize)?;
        let operation = Operation::Read { key: self.key, offset, len };
        self.submit(operation, move |state, id, _| match &state.node(id)?.body {
            Body::File(pages) => Ok(Bytes::from(pages.read(offset, len as usize))),
            Body::Directory(_) => Err(VfsError::IsADirectory),
        })
        .await
    }

    async fn write_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()> {
        self.write(offset, data, stable, false).await
    }

    async fn append_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()> {
        self.write(offset, data, stable, true).await
    }

    async fn sync(&self) -> VfsResult<()> {
        self.submit(Operation::Sync { key: self.key }, |state, id, _| {
            state.trees.sync(id);
            Ok(())
        })
        .await
    }

    async fn set_len(&self, len: u64) -> VfsResult<()> {
        self.must_be_writable()?;
        check_end(len, 0)?;
        self.resize(len, |_, len| Some(len), 0).await
    }

    async fn allocate(&self, size: u64) -> VfsResult<()> {
        self.must_be_writable()?;
        check_end(size, 0)?;
        self.resize(size, |len, size| (size < len).then_some(size), size).await
    }

    async fn overwrite(&self, what: &Overwrite) -> VfsResult<()> {
        self.must_be_writable()?;
        let what = what.clone();
        for (name, _) in &what.attributes_extended {
            check_attribute_name(name)?;
        }
        self.submit(Operation::Overwrite { key: self.key }, move |state, id, at| {
            state.change_data(
                id,
                |_| 0,
                |pages, metadata| {
                    pages.set_len(0);
                    metadata::keep_attributes(metadata, what.attributes);
                    metadata.extended.clear();
                    metadata.allocation = what.allocation;
                    metadata.write = at;
                    metadata.change = at;
                    if let Some(supersede) = &what.supersede {
                        metadata.creation = at;
                        metadata.security = supersede.security.clone();
                    }
                    for (name, value) in &what.attributes_extended {
                        metadata::set_extended(metadata, name, value)?;
                    }
                    VfsResult::Ok(())
                },
            )??;
            if what.stable {
                state.trees.sync(id);
            }
            Ok(())
        })
        .await
    }

    async fn stat(&self) -> VfsResult<FileStat> {
        self.submit(Operation::Look, |state, id, _| state.stat(id)).await
    }

    async fn set_times(&self, times: SetTimes) -> VfsResult<()> {
        self.set_metadata(move |metadata| {
            metadata.creation = times.creation.unwrap_or(metadata.creation);
            metadata.access = times.access.unwrap_or(metadata.access);
            metadata.write = times.write.unwrap_or(metadata.write);
            Ok(())
        })
        .await
    }

    async fn set_attributes(&self, attributes: FileAttributes) -> VfsResult<()> {
        self.set_metadata(move |metadata| {
            metadata::keep_attributes(metadata, attributes);
            Ok(())
        })
        .await
    }

    async fn security(&self) -> VfsResult<Option<Bytes>> {
        let look = |state: &mut State, id, _| Ok(state.node(id)?.metadata.security.clone());
        self.submit(Operation::Look, look).await
    }

    async fn set_security(&self, descriptor: Bytes) -> VfsResult<()> {
        self.set_metadata(move |metadata| metadata::keep_security(metadata, descriptor)).await
    }

    async fn extended_attributes(&self) -> VfsResult<Vec<(String, Bytes)>> {
        self.submit(Operation::Look, |state, id, _| {
            let all = state.node(id)?.metadata.extended.iter();
            Ok(all.map(|(name, value)| (name.clone(), value.clone())).collect())
        })
        .await
    }

    async fn extended_attribute(&self, name: &str) -> VfsResult<Bytes> {
        let name = name.to_owned();
        let look =
            move |state: &mut State, id, _| metadata::extended(&state.node(id)?.metadata, &name);
        self.submit(Operation::Look, look).await
    }

    async fn set_extended_attribute(&self, name: &str, value: Bytes) -> VfsResult<()> {
        let name = name.to_owned();
        self.set_metadata(move |metadata| metadata::set_extended(metadata, &name, &value)).await
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> VfsResult<Listing> {
        self.must_be(FileKind::Directory)?;
        let after = after.map(|name| (FoldedName::new(name), name.to_owned()));
        self.submit(Operation::Look, move |state, id, _| {
            let ordered = state.visible(id).map(|(name, id)| ((FoldedName::new(name), name), id));
            let mut names: Vec<_> = ordered
                .filter(|((folded, name), _)| {
                    after.as_ref().is_none_or(|after| (folded, *name) > (&after.0, &after.1))
                })
                .collect();
            names.sort_unstable();
            let end = names.len() <= limit;
            let mut entries = Vec::new();
            for ((_, name), id) in names.into_iter().take(limit) {
                entries.push(Entry { name: name.clone(), stat: state.stat(id)? });
            }
            Ok(Listing { entries, end })
        })
        .await
    }
}
