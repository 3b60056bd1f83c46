//! A volume in memory, shared by all that hold it: for unit tests and for the simulator.
//!
//! Each operation is one step on the state, taken when the [`World`] says so, whether or not its
//! issuer is still there. Of what was written, only what a sync has covered outlives a power cut.
//! Nothing here depends on the order of a hash map, on a clock of its own, or on chance.
//!
//! Names are kept as POSIX keeps them: two that differ by case alone can both exist if somebody
//! makes them, so that a missing reservation shows.

mod durable;
mod file;
mod metadata;
mod names;
mod pages;
mod queued;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod tree;
mod world;

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_proto::types::{FileKey, FileTime, VolumeId};

use super::{
    DirRef, Entry, IntentMark, Issuer, Marked, Named, NewNode, OpenAccess, Place, Removed,
    RenameMode, Renamed, Resolved, Staged, Vfs, VfsFile, VfsResult, VolumePath, VolumeStatistics,
};
use file::MemoryFile;
pub use queued::{Faults, Latency, Queued, StorageClock, StorageService};
pub use state::Counters;
use state::State;
pub use store::StorageControl;
use store::Store;
pub use world::{Apply, Dropped, Immediate, Observer, Operation, Submitted, World};

/// Room for data unless said otherwise: 1 TiB.
const CAPACITY: u64 = 1 << 40;

/// A volume in memory. Clones are the same volume.
#[derive(Clone, Debug)]
pub struct MemoryVolume {
    id: VolumeId,
    store: Arc<Store>,
}

impl MemoryVolume {
    /// An empty volume in a world without latency.
    pub fn new(id: VolumeId) -> MemoryVolume {
        MemoryVolume::in_world(id, CAPACITY, Arc::new(Immediate::default()))
    }

    /// An empty volume with room for `capacity` bytes of data in `world`.
    pub fn in_world(id: VolumeId, capacity: u64, world: Arc<dyn World>) -> MemoryVolume {
        MemoryVolume { id, store: Arc::new(Store::new(id, capacity, world)) }
    }

    /// What can be done to the storage from outside.
    pub fn control(&self) -> StorageControl {
        StorageControl(Arc::clone(&self.store))
    }

    async fn submit<T, F>(&self, by: Issuer, operation: Operation, step: F) -> VfsResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut State, FileTime) -> VfsResult<T> + Send + 'static,
    {
        self.store.submit(by, None, operation, step).await
    }
}

#[async_trait]
impl Vfs for MemoryVolume {
    fn volume(&self) -> VolumeId {
        self.id
    }

    async fn root(&self, by: Issuer, share_path: &VolumePath) -> VfsResult<DirRef> {
        let path = share_path.clone();
        self.submit(by, Operation::Look, move |state, _| state.share_root(&path)).await
    }

    async fn resolve(&self, by: Issuer, root: &DirRef, components: &[&str]) -> VfsResult<Resolved> {
        let root = root.clone();
        let components: Vec<String> = components.iter().map(|part| (*part).to_owned()).collect();
        let step = move |state: &mut State, _| state.resolve(&root, &components);
        self.submit(by, Operation::Look, step).await
    }

    async fn lookup(&self, by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Entry>> {
        super::check_name(name)?;
        let (dir, name) = (dir.clone(), name.to_owned());
        let step = move |state: &mut State, _| state.find(state.dir(&dir)?, &name);
        self.submit(by, Operation::Look, step).await
    }

    async fn open(
        &self,
        by: Issuer,
        place: &Place,
        access: OpenAccess,
    ) -> VfsResult<Arc<dyn VfsFile>> {
        Ok(Arc::new(MemoryFile::open(&self.store, by, place, access).await?))
    }

    async fn create_exclusive(
        &self,
        by: Issuer,
        dir: &DirRef,
        name: &str,
        new: &NewNode,
    ) -> VfsResult<FileKey> {
        let operation = Operation::Create { dir: dir.key, name: name.to_owned() };
        let (dir, name, new) = (dir.clone(), name.to_owned(), new.clone());
        self.submit(by, operation, move |state, at| state.create(&dir, &name, &new, at)).await
    }

    async fn stage(&self, by: Issuer, mark: IntentMark, new: &NewNode) -> VfsResult<Staged> {
        let new = new.clone();
        let step = move |state: &mut State, at| state.stage(mark, &new, at);
        self.submit(by, Operation::Stage { mark }, step).await
    }

    async fn put_in_place(
        &self,
        by: Issuer,
        staged: &Staged,
        dir: &DirRef,
        name: &str,
    ) -> VfsResult<FileKey> {
        let operation = Operation::PutInPlace {
            mark: staged.mark,
            key: staged.key,
            dir: dir.key,
            name: name.to_owned(),
        };
        let (staged, dir, name) = (staged.clone(), dir.clone(), name.to_owned());
        let step = move |state: &mut State, at| state.put_in_place(&staged, &dir, &name, at);
        self.submit(by, operation, step).await
    }

    async fn find_mark(&self, by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Marked>> {
        let (dir, name) = (dir.clone(), name.to_owned());
        self.submit(by, Operation::Look, move |state, _| state.find_mark(&dir, &name)).await
    }

    async fn find_mark_by_key(&self, by: Issuer, place: &Place) -> VfsResult<Option<IntentMark>> {
        let place = place.clone();
        self.submit(by, Operation::Look, move |state, _| state.mark_at(&place)).await
    }

    async fn clear_mark(&self, by: Issuer, place: &Place, mark: IntentMark) -> VfsResult<()> {
        let operation = Operation::ClearMark { key: place.key, mark };
        let place = place.clone();
        self.submit(by, operation, move |state, _| state.clear_mark(&place, mark)).await
    }

    async fn discard_staged(&self, by: Issuer, mark: IntentMark) -> VfsResult<()> {
        let step = move |state: &mut State, _| {
            state.discard(mark);
            Ok(())
        };
        self.submit(by, Operation::Discard { mark }, step).await
    }

    async fn staged_marks(&self, by: Issuer, limit: usize) -> VfsResult<Vec<IntentMark>> {
        self.submit(by, Operation::Look, move |state, _| Ok(state.staged_marks(limit))).await
    }

    async fn rename(
        &self,
        by: Issuer,
        from: Named<'_>,
        dir: &DirRef,
        name: &str,
        mode: RenameMode,
    ) -> VfsResult<Renamed> {
        let key = from.key;
        let operation = Operation::Rename { key, dir: dir.key, name: name.to_owned() };
        let (old_dir, old_name) = (from.dir.clone(), from.name.to_owned());
        let (dir, name) = (dir.clone(), name.to_owned());
        self.submit(by, operation, move |state, at| {
            state.rename((&old_dir, &old_name, key), &dir, &name, mode, at)
        })
        .await
    }

    async fn remove(&self, by: Issuer, what: Named<'_>) -> VfsResult<Removed> {
        let key = what.key;
        let operation = Operation::Remove { key, dir: what.dir.key, name: what.name.to_owned() };
        let (dir, name) = (what.dir.clone(), what.name.to_owned());
        self.submit(by, operation, move |state, at| state.remove_name(&dir, &name, key, at)).await
    }

    async fn sync_dir(&self, by: Issuer, dir: &DirRef) -> VfsResult<()> {
        let operation = Operation::SyncDir { dir: dir.key };
        let dir = dir.clone();
        self.submit(by, operation, move |state, _| {
            let id = state.dir(&dir)?;
            state.trees.sync_names(id);
            Ok(())
        })
        .await
    }

    async fn trial_folder(&self, by: Issuer) -> VfsResult<DirRef> {
        let name = super::name_rules::TRIAL_FOLDER.to_owned();
        let operation = Operation::Create { dir: state::key_in(self.id, tree::ROOT), name };
        self.submit(by, operation, |state, at| state.trial_folder(at)).await
    }

    async fn statistics(&self, by: Issuer) -> VfsResult<VolumeStatistics> {
        self.submit(by, Operation::Look, |state, _| {
            let free = state.capacity.saturating_sub(state.used);
            Ok(VolumeStatistics {
                total: state.capacity,
                free,
                available: free,
                block_size: pages::PAGE as u32,
            })
        })
        .await
    }
}
