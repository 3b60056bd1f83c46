//! A volume seen through caches that nobody keeps up to date, and by other liars.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey, VolumeId};
use parking_lot::Mutex;

use crate::vfs::{
    DirRef, Entry, FileKind, FileStat, IntentMark, Issuer, Listing, Marked, Named, NewNode,
    OpenAccess, Overwrite, Place, Removed, RenameMode, Renamed, Resolved, SetTimes, Staged, Vfs,
    VfsError, VfsFile, VfsResult, VolumePath, VolumeStatistics,
};

/// What is not true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    None,
    /// What a look-up found once, it finds for ever.
    CachesNames,
    CachesListings,
    CachesData,
    CachesSizes,
    CachesAttributes,
    CachesMarks,
    /// A create that finds the name taken succeeds.
    SharesCreates,
    /// An append does not mind where the file ends.
    IgnoresLocks,
    /// A rename replaces whatever is there.
    AlwaysReplaces,
    /// A replacing rename removes first.
    ReplacesInTwoSteps,
    FoldsCase,
    RefusesAttributes,
}

/// Answers that were given once.
#[derive(Debug)]
struct Cache<K, V>(Mutex<BTreeMap<K, V>>);

impl<K: Ord, V: Clone> Cache<K, V> {
    fn new() -> Cache<K, V> {
        Cache(Mutex::default())
    }

    /// The first answer, if `lies`; this one otherwise.
    fn answer(&self, lies: bool, question: K, truth: V) -> V {
        if lies { self.0.lock().entry(question).or_insert(truth).clone() } else { truth }
    }
}

#[derive(Debug)]
pub struct LyingVolume {
    inner: Arc<dyn Vfs>,
    lie: Lie,
    names: Cache<String, Option<Entry>>,
    marks: Cache<String, Option<Marked>>,
    listings: Arc<Cache<FileKey, Listing>>,
}

impl LyingVolume {
    pub fn new(inner: Arc<dyn Vfs>, lie: Lie) -> LyingVolume {
        let listings = Arc::new(Cache::new());
        LyingVolume { inner, lie, names: Cache::new(), marks: Cache::new(), listings }
    }
}

#[async_trait]
impl Vfs for LyingVolume {
    fn volume(&self) -> VolumeId {
        self.inner.volume()
    }

    async fn root(&self, by: Issuer, share_path: &VolumePath) -> VfsResult<DirRef> {
        self.inner.root(by, share_path).await
    }

    async fn resolve(&self, by: Issuer, root: &DirRef, components: &[&str]) -> VfsResult<Resolved> {
        self.inner.resolve(by, root, components).await
    }

    async fn lookup(&self, by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Entry>> {
        let truth = self.inner.lookup(by, dir, name).await?;
        Ok(self.names.answer(self.lie == Lie::CachesNames, name.to_owned(), truth))
    }

    async fn open(
        &self,
        by: Issuer,
        place: &Place,
        access: OpenAccess,
    ) -> VfsResult<Arc<dyn VfsFile>> {
        let inner = self.inner.open(by, place, access).await?;
        Ok(Arc::new(LyingFile {
            inner,
            lie: self.lie,
            data: Cache::new(),
            sizes: Cache::new(),
            attributes: Cache::new(),
            listings: Arc::clone(&self.listings),
        }))
    }

    async fn create_exclusive(
        &self,
        by: Issuer,
        dir: &DirRef,
        name: &str,
        new: &NewNode,
    ) -> VfsResult<FileKey> {
        let there = self.inner.lookup(by, dir, name).await?;
        match (self.lie, there) {
            (Lie::FoldsCase, Some(_)) => Err(VfsError::AlreadyExists),
            (Lie::SharesCreates, Some(there)) if there.name == name => Ok(there.stat.key),
            _ => self.inner.create_exclusive(by, dir, name, new).await,
        }
    }

    async fn stage(&self, by: Issuer, mark: IntentMark, new: &NewNode) -> VfsResult<Staged> {
        self.inner.stage(by, mark, new).await
    }

    async fn put_in_place(
        &self,
        by: Issuer,
        staged: &Staged,
        dir: &DirRef,
        name: &str,
    ) -> VfsResult<FileKey> {
        self.inner.put_in_place(by, staged, dir, name).await
    }

    async fn find_mark(&self, by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Marked>> {
        let truth = self.inner.find_mark(by, dir, name).await?;
        Ok(self.marks.answer(self.lie == Lie::CachesMarks, name.to_owned(), truth))
    }

    async fn find_mark_by_key(&self, by: Issuer, place: &Place) -> VfsResult<Option<IntentMark>> {
        self.inner.find_mark_by_key(by, place).await
    }

    async fn clear_mark(&self, by: Issuer, place: &Place, mark: IntentMark) -> VfsResult<()> {
        self.inner.clear_mark(by, place, mark).await
    }

    async fn discard_staged(&self, by: Issuer, mark: IntentMark) -> VfsResult<()> {
        self.inner.discard_staged(by, mark).await
    }

    async fn staged_marks(&self, by: Issuer, limit: usize) -> VfsResult<Vec<IntentMark>> {
        self.inner.staged_marks(by, limit).await
    }

    async fn rename(
        &self,
        by: Issuer,
        from: Named<'_>,
        dir: &DirRef,
        name: &str,
        mode: RenameMode,
    ) -> VfsResult<Renamed> {
        match (self.lie, mode) {
            (Lie::ReplacesInTwoSteps, RenameMode::Replace(key)) => {
                self.inner.remove(by, Named { dir, name, key }).await?;
                // Long enough for a look.
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
                self.inner.rename(by, from, dir, name, RenameMode::NeverReplace).await
            }
            (Lie::AlwaysReplaces, RenameMode::NeverReplace) => {
                let there = self.inner.lookup(by, dir, name).await?;
                let mode = there.map_or(mode, |there| RenameMode::Replace(there.stat.key));
                self.inner.rename(by, from, dir, name, mode).await
            }
            _ => self.inner.rename(by, from, dir, name, mode).await,
        }
    }

    async fn remove(&self, by: Issuer, what: Named<'_>) -> VfsResult<Removed> {
        self.inner.remove(by, what).await
    }

    async fn sync_dir(&self, by: Issuer, dir: &DirRef) -> VfsResult<()> {
        self.inner.sync_dir(by, dir).await
    }

    async fn trial_folder(&self, by: Issuer) -> VfsResult<DirRef> {
        self.inner.trial_folder(by).await
    }

    async fn statistics(&self, by: Issuer) -> VfsResult<VolumeStatistics> {
        self.inner.statistics(by).await
    }
}

#[derive(Debug)]
struct LyingFile {
    inner: Arc<dyn VfsFile>,
    lie: Lie,
    data: Cache<(u64, u32), Bytes>,
    sizes: Cache<(), FileStat>,
    attributes: Cache<String, VfsResult<Bytes>>,
    listings: Arc<Cache<FileKey, Listing>>,
}

#[async_trait]
impl VfsFile for LyingFile {
    fn key(&self) -> FileKey {
        self.inner.key()
    }

    fn kind(&self) -> FileKind {
        self.inner.kind()
    }

    async fn read_at(&self, offset: u64, len: u32) -> VfsResult<Bytes> {
        let truth = self.inner.read_at(offset, len).await?;
        Ok(self.data.answer(self.lie == Lie::CachesData, (offset, len), truth))
    }

    async fn write_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()> {
        self.inner.write_at(offset, data, stable).await
    }

    async fn append_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()> {
        match self.lie {
            Lie::IgnoresLocks => self.inner.write_at(offset, data, stable).await,
            _ => self.inner.append_at(offset, data, stable).await,
        }
    }

    async fn sync(&self) -> VfsResult<()> {
        self.inner.sync().await
    }

    async fn set_len(&self, len: u64) -> VfsResult<()> {
        self.inner.set_len(len).await
    }

    async fn allocate(&self, size: u64) -> VfsResult<()> {
        self.inner.allocate(size).await
    }

    async fn overwrite(&self, what: &Overwrite) -> VfsResult<()> {
        self.inner.overwrite(what).await
    }

    async fn stat(&self) -> VfsResult<FileStat> {
        let truth = self.inner.stat().await?;
        Ok(self.sizes.answer(self.lie == Lie::CachesSizes, (), truth))
    }

    async fn set_times(&self, times: SetTimes) -> VfsResult<()> {
        self.inner.set_times(times).await
    }

    async fn set_attributes(&self, attributes: FileAttributes) -> VfsResult<()> {
        self.inner.set_attributes(attributes).await
    }

    async fn security(&self) -> VfsResult<Option<Bytes>> {
        self.inner.security().await
    }

    async fn set_security(&self, descriptor: Bytes) -> VfsResult<()> {
        self.inner.set_security(descriptor).await
    }

    async fn extended_attributes(&self) -> VfsResult<Vec<(String, Bytes)>> {
        self.inner.extended_attributes().await
    }

    async fn extended_attribute(&self, name: &str) -> VfsResult<Bytes> {
        let truth = self.inner.extended_attribute(name).await;
        self.attributes.answer(self.lie == Lie::CachesAttributes, name.to_owned(), truth)
    }

    async fn set_extended_attribute(&self, name: &str, value: Bytes) -> VfsResult<()> {
        match self.lie {
            Lie::RefusesAttributes => Err(VfsError::NotSupported),
            _ => self.inner.set_extended_attribute(name, value).await,
        }
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> VfsResult<Listing> {
        let truth = self.inner.list(after, limit).await?;
        Ok(self.listings.answer(self.lie == Lie::CachesListings, self.key(), truth))
    }
}
