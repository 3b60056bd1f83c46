//! A POSIX tree as a volume, through Linux: a local directory, or a cluster file system that every
//! node mounts.
//!
//! What the file system must offer: `openat2`, extended attributes of users, inodes that stay what
//! they are. Whether a tree is coherent between nodes is not tested here.
//!
//! The issuer of an operation is not checked: nothing in POSIX could. A fencer's proof that an
//! incarnation is dead stands for that.

mod dos_attributes;
mod errno;
mod file;
mod identity;
mod listing;
mod metadata;
mod naming;
mod staging;
mod sync_group;
mod target;
#[cfg(test)]
mod tests;
mod volume;
mod walk;

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use holdfast_proto::types::{FileKey, VolumeId};
use rustix::fs::{Mode, OFlags};

use super::{
    DirRef, Entry, IntentMark, Issuer, Marked, Named, NewNode, OpenAccess, Place, Removed,
    RenameMode, Renamed, Resolved, Staged, Vfs, VfsError, VfsFile, VfsResult, VolumePath,
    VolumeStatistics,
};
use errno::on;
use naming::OwnedNamed;
use sync_group::{SyncGroup, sync_failed};
use volume::Volume;
pub use volume::VolumeRefusal;

/// One directory of this machine, served as a volume.
#[derive(Clone, Debug)]
pub struct LocalVolume(Arc<Volume>);

impl LocalVolume {
    /// Opens `root` as the volume `id`, and makes its staging folder if there is none. Blocks;
    /// meant for the start of a node.
    pub fn open(root: &Path, id: VolumeId) -> Result<LocalVolume, VolumeRefusal> {
        Ok(LocalVolume(Arc::new(Volume::open(root, id)?)))
    }

    /// Runs `work` on the blocking pool.
    async fn run<T, F>(&self, work: F) -> VfsResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Volume>) -> VfsResult<T> + Send + 'static,
    {
        let volume = Arc::clone(&self.0);
        blocking(move || work(&volume)).await
    }

    /// The syncs of one directory, shared by all that ask while any is under way.
    fn syncs_of(&self, key: FileKey) -> Arc<SyncGroup> {
        let mut groups = self.0.dir_syncs.lock();
        if let Some(group) = groups.get(&key).and_then(Weak::upgrade) {
            return group;
        }
        groups.retain(|_, group| group.strong_count() > 0);
        let group = Arc::new(SyncGroup::default());
        groups.insert(key, Arc::downgrade(&group));
        group
    }
}

/// Runs `work` where it may block. It runs to its end even if nobody waits for it any more.
async fn blocking<T, F>(work: F) -> VfsResult<T>
where
    T: Send + 'static,
    F: FnOnce() -> VfsResult<T> + Send + 'static,
{
    #[cfg_attr(madsim, allow(deprecated))]
    let job = tokio::task::spawn_blocking(work);
    // The job panicked, or the runtime is shutting down.
    job.await.unwrap_or(Err(VfsError::Unavailable))
}

#[async_trait]
impl Vfs for LocalVolume {
    fn volume(&self) -> VolumeId {
        self.0.id
    }

    async fn root(&self, _by: Issuer, share_path: &VolumePath) -> VfsResult<DirRef> {
        let path = share_path.clone();
        self.run(move |volume| volume.share_root(&path)).await
    }

    async fn resolve(
        &self,
        _by: Issuer,
        root: &DirRef,
        components: &[&str],
    ) -> VfsResult<Resolved> {
        let root = root.clone();
        let components: Vec<String> = components.iter().map(|part| (*part).to_owned()).collect();
        self.run(move |volume| volume.resolve(&root, &components)).await
    }

    async fn lookup(&self, _by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Entry>> {
        let (dir, name) = (dir.clone(), name.to_owned());
        self.run(move |volume| volume.lookup(&dir, &name)).await
    }

    async fn open(
        &self,
        _by: Issuer,
        place: &Place,
        access: OpenAccess,
    ) -> VfsResult<Arc<dyn VfsFile>> {
        let place = place.clone();
        let file = self.run(move |volume| file::open(volume, &place, access)).await?;
        Ok(Arc::new(file))
    }

    async fn create_exclusive(
        &self,
        _by: Issuer,
        dir: &DirRef,
        name: &str,
        new: &NewNode,
    ) -> VfsResult<FileKey> {
        let (dir, name, new) = (dir.clone(), name.to_owned(), new.clone());
        self.run(move |volume| volume.create_exclusive(&dir, &name, &new)).await
    }

    async fn stage(&self, _by: Issuer, mark: IntentMark, new: &NewNode) -> VfsResult<Staged> {
        let new = new.clone();
        self.run(move |volume| volume.stage(mark, &new)).await
    }

    async fn put_in_place(
        &self,
        _by: Issuer,
        staged: &Staged,
        dir: &DirRef,
        name: &str,
    ) -> VfsResult<FileKey> {
        let (staged, dir, name) = (staged.clone(), dir.clone(), name.to_owned());
        self.run(move |volume| volume.put_in_place(&staged, &dir, &name)).await
    }

    async fn find_mark(&self, _by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Marked>> {
        let (dir, name) = (dir.clone(), name.to_owned());
        self.run(move |volume| volume.find_mark(&dir, &name)).await
    }

    async fn find_mark_by_key(&self, _by: Issuer, place: &Place) -> VfsResult<Option<IntentMark>> {
        let place = place.clone();
        self.run(move |volume| volume.find_mark_by_key(&place)).await
    }

    async fn clear_mark(&self, _by: Issuer, place: &Place, mark: IntentMark) -> VfsResult<()> {
        let place = place.clone();
        self.run(move |volume| volume.clear_mark(&place, mark)).await
    }

    async fn discard_staged(&self, _by: Issuer, mark: IntentMark) -> VfsResult<()> {
        self.run(move |volume| volume.discard_staged(mark)).await
    }

    async fn staged_marks(&self, _by: Issuer, limit: usize) -> VfsResult<Vec<IntentMark>> {
        self.run(move |volume| volume.staged_marks(limit)).await
    }

    async fn rename(
        &self,
        _by: Issuer,
        from: Named<'_>,
        dir: &DirRef,
        name: &str,
        mode: RenameMode,
    ) -> VfsResult<Renamed> {
        let (from, dir, name) = (OwnedNamed::from(from), dir.clone(), name.to_owned());
        self.run(move |volume| volume.rename(&from, &dir, &name, mode)).await
    }

    async fn remove(&self, _by: Issuer, what: Named<'_>) -> VfsResult<Removed> {
        let what = OwnedNamed::from(what);
        self.run(move |volume| volume.remove(&what)).await
    }

    async fn sync_dir(&self, _by: Issuer, dir: &DirRef) -> VfsResult<()> {
        let group = self.syncs_of(dir.key);
        let opening = dir.clone();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let open = move |volume: &Arc<Volume>| {
            let handle = volume.open_dir(&opening)?;
            volume::beneath(handle.as_fd(), ".", flags, Mode::empty()).map_err(on("open"))
        };
        let fd = self.run(open).await?;
        let sync = move || blocking(move || rustix::fs::fsync(&fd).map_err(sync_failed));
        group.sync(&self.0.names_lost, sync).await
    }

    async fn trial_folder(&self, _by: Issuer) -> VfsResult<DirRef> {
        self.run(|volume| volume.trial_folder()).await
    }

    async fn statistics(&self, _by: Issuer) -> VfsResult<VolumeStatistics> {
        self.run(|volume| {
            let stat = rustix::fs::fstatvfs(volume.root()).map_err(on("statvfs"))?;
            Ok(VolumeStatistics {
                total: stat.f_blocks.saturating_mul(stat.f_frsize),
                free: stat.f_bfree.saturating_mul(stat.f_frsize),
                available: stat.f_bavail.saturating_mul(stat.f_frsize),
                block_size: u32::try_from(stat.f_frsize).unwrap_or(4096),
            })
        })
        .await
    }
}

impl From<Named<'_>> for OwnedNamed {
    fn from(named: Named<'_>) -> OwnedNamed {
        OwnedNamed { dir: named.dir.clone(), name: named.name.to_owned(), key: named.key }
    }
}
