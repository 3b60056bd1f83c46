//! The storage port: one volume ([`Vfs`]) and one open descriptor ([`VfsFile`]).
//!
//! Back ends: [`local`] (a POSIX tree, through Linux) and [`memory`] (for unit tests and for the
//! simulator, with operations in flight that outlive their node). One suite, `conformance`,
//! runs against both.
//!
//! Never knows: requests, contexts, leases, share modes, statuses, who a client is. It makes no
//! decision that another node would have to know of: who may do what was decided before.
//!
//! Invariants:
//! - Nothing ever leaves the volume, and nothing below a share's root leaves the share: names only
//!   go down, and symbolic links are never followed.
//! - An operation names what it works on by [`FileKey`]. If the path leads elsewhere by now, it
//!   fails with [`VfsError::Replaced`] and changes nothing.
//! - No step that gives an object its name ever replaces another one, except
//!   [`Vfs::rename`] when the key of what goes is said.
//! - A failed sync is reported and never tried again on the same descriptor.
//!
//! A future that is dropped does not undo its operation: it may still happen, at once or later.
//! Whoever counts operations in flight must hold the count until the future is ready.

#[cfg(test)]
mod conformance;
pub mod local;
pub mod memory;
pub mod name_rules;

mod creation;
mod entry;
mod error;
mod issuer;
mod path;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey, VolumeId};

pub use creation::{IntentMark, Marked, NewNode, Staged};
pub use entry::{
    Entry, FileKind, FileStat, FileTimes, KEPT_ATTRIBUTES, Listing, SetTimes, VolumeStatistics,
    shown_attributes,
};
pub use error::{VfsError, VfsResult};
pub use issuer::Issuer;
pub use name_rules::{NameRefusal, check_name};
pub use path::{DirRef, MAX_DEPTH, Place, VolumePath};

/// What a descriptor is opened for. With neither, it serves metadata and listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenAccess {
    /// Data will be read.
    pub read: bool,
    /// Data will be written, or the size changed.
    pub write: bool,
}

impl OpenAccess {
    /// Metadata and listing only.
    pub const METADATA: OpenAccess = OpenAccess { read: false, write: false };
    /// Reading.
    pub const READ: OpenAccess = OpenAccess { read: true, write: false };
    /// Reading and writing.
    pub const READ_WRITE: OpenAccess = OpenAccess { read: true, write: true };
}

/// Where a client's path led.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The directory that holds, or would hold, the last component.
    pub parent: DirRef,
    /// The last component as the client spelt it.
    pub name: String,
    /// What it denotes now, with the storage's spelling; `None` when nothing.
    pub leaf: Option<Entry>,
}

impl Resolved {
    /// The place of what was found.
    pub fn place(&self) -> Option<Place> {
        self.leaf.as_ref().map(|leaf| self.parent.child(&leaf.name, leaf.stat.key))
    }
}

/// A name in a directory together with the key of what it must denote.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The directory.
    pub dir: &'a DirRef,
    /// The name in the storage's spelling.
    pub name: &'a str,
    /// What the caller takes it to denote.
    pub key: FileKey,
}

/// What a rename does when its new name is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RenameMode {
    /// It fails with [`VfsError::AlreadyExists`].
    NeverReplace,
    /// It replaces the file with this key; anything else there is [`VfsError::Replaced`].
    Replace(FileKey),
}

/// How a rename ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Renamed {
    /// The object has its new name.
    Moved,
    /// It had it before: an earlier attempt got there.
    AlreadyThere,
}

/// How a removal ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removed {
    /// The name is gone.
    Gone,
    /// It denoted nothing before: an earlier attempt got there.
    AlreadyGone,
}

/// What an overwrite leaves behind: an empty file without extended attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overwrite {
    /// Attributes: the new ones in full. Whoever overwrites without superseding adds the old ones.
    pub attributes: FileAttributes,
    /// True for FILE_SUPERSEDE: CreationTime becomes now, and the security descriptor is replaced.
    pub supersede: Option<Supersede>,
    /// Room to set aside for the data, in bytes.
    pub allocation: u64,
    /// The new extended attributes.
    pub attributes_extended: Vec<(String, Bytes)>,
    /// True when the result must be stable before the call returns.
    pub stable: bool,
}

/// What FILE_SUPERSEDE changes beyond an overwrite.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Supersede {
    /// The new security descriptor, self-relative; `None` removes the one that was kept.
    pub security: Option<Bytes>,
}

/// One volume of the shared storage, as one node sees it.
///
/// `name` arguments are one component. Where a name is about to be given, it is checked against
/// the name rules ([`VfsError::InvalidName`]) and otherwise taken as it is spelt; that no other
/// name differs from it by case alone is for the reservation to guarantee, and for
/// [`Vfs::resolve`] or [`Vfs::lookup`] under that reservation to find out.
#[async_trait]
pub trait Vfs: Send + Sync + fmt::Debug {
    /// The volume's id in the cluster.
    fn volume(&self) -> VolumeId;

    /// The directory that a share exports: a path from the root of the volume, real case.
    async fn root(&self, by: Issuer, share_path: &VolumePath) -> VfsResult<DirRef>;

    /// Walks `components` down from `root`: each is matched exactly first and without case
    /// otherwise. At least one component is needed; the root itself is the caller's.
    ///
    /// A missing or unsuitable directory on the way is [`VfsError::PathNotFound`], a link there
    /// [`VfsError::SymlinkInPath`]; a last component that is a link is reported as an entry of
    /// that kind.
    async fn resolve(&self, by: Issuer, root: &DirRef, components: &[&str]) -> VfsResult<Resolved>;

    /// What `name` denotes in `dir`: exactly first, without case otherwise.
    async fn lookup(&self, by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Entry>>;

    /// Opens what is at `place`, if it still is what the place says. Never creates, never
    /// truncates. Write access to a directory is [`VfsError::IsADirectory`]; a link is
    /// [`VfsError::NotAFile`].
    async fn open(
        &self,
        by: Issuer,
        place: &Place,
        access: OpenAccess,
    ) -> VfsResult<Arc<dyn VfsFile>>;

    /// Makes a new object under `name`, or fails with [`VfsError::AlreadyExists`]. The object may
    /// be seen before all its attributes are set, and after a crash without them: for creates
    /// that no other node could be asked to repeat.
    async fn create_exclusive(
        &self,
        by: Issuer,
        dir: &DirRef,
        name: &str,
        new: &NewNode,
    ) -> VfsResult<FileKey>;

    /// Makes a complete object in the staging folder, marked with its intent. What an earlier
    /// attempt of the same intent left there is replaced.
    async fn stage(&self, by: Issuer, mark: IntentMark, new: &NewNode) -> VfsResult<Staged>;

    /// Gives a staged object its name and takes it out of the staging folder, in one step that
    /// never replaces: [`VfsError::AlreadyExists`] leaves it staged.
    async fn put_in_place(
        &self,
        by: Issuer,
        staged: &Staged,
        dir: &DirRef,
        name: &str,
    ) -> VfsResult<FileKey>;

    /// The mark of what `name` denotes, spelt exactly so, in `dir`; `None` when the name denotes
    /// nothing or something without a mark.
    async fn find_mark(&self, by: Issuer, dir: &DirRef, name: &str) -> VfsResult<Option<Marked>>;

    /// The mark of the object at `place`, whatever intent it had.
    async fn find_mark_by_key(&self, by: Issuer, place: &Place) -> VfsResult<Option<IntentMark>>;

    /// Removes `mark` from the object at `place`. Repeats succeed; another intent's mark stays.
    async fn clear_mark(&self, by: Issuer, place: &Place, mark: IntentMark) -> VfsResult<()>;

    /// Removes what an intent left in the staging folder. Nothing there is success.
    async fn discard_staged(&self, by: Issuer, mark: IntentMark) -> VfsResult<()>;

    /// The intents that have something in the staging folder, in order, at most `limit`.
    async fn staged_marks(&self, by: Issuer, limit: usize) -> VfsResult<Vec<IntentMark>>;

    /// Moves `from` to `name` in `dir`. Repeats succeed: when `from` denotes nothing any more and
    /// the new name denotes its key, that is [`Renamed::AlreadyThere`].
    async fn rename(
        &self,
        by: Issuer,
        from: Named<'_>,
        dir: &DirRef,
        name: &str,
        mode: RenameMode,
    ) -> VfsResult<Renamed>;

    /// Removes a file or an empty directory. A name that denotes another object by now is
    /// [`VfsError::Replaced`] and stays.
    async fn remove(&self, by: Issuer, what: Named<'_>) -> VfsResult<Removed>;

    /// Makes the names in `dir` stable as they are now. One sync serves all that wait.
    async fn sync_dir(&self, by: Issuer, dir: &DirRef) -> VfsResult<()>;

    /// The folder in which nodes try out what the storage can do, made if it is not there. Clients
    /// neither see nor reach it.
    async fn trial_folder(&self, by: Issuer) -> VfsResult<DirRef>;

    /// Sizes of the volume.
    async fn statistics(&self, by: Issuer) -> VfsResult<VolumeStatistics>;
}

/// An open descriptor. Closed when the last reference goes.
///
/// Operations may run at the same time; what they do to the same bytes then is for the caller to
/// order, by waiting.
#[async_trait]
pub trait VfsFile: Send + Sync + fmt::Debug {
    /// What is open.
    fn key(&self) -> FileKey;

    /// File or directory.
    fn kind(&self) -> FileKind;

    /// Reads up to `len` bytes; fewer at the end of the file, none beyond it.
    async fn read_at(&self, offset: u64, len: u32) -> VfsResult<Bytes>;

    /// Writes all of `data`. With `stable`, it is stable when this returns.
    async fn write_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()>;

    /// As [`VfsFile::write_at`], if the file ends at `offset`; fails with
    /// [`VfsError::EndMoved`] otherwise. Of several at one offset, on whichever nodes, one only
    /// succeeds.
    async fn append_at(&self, offset: u64, data: Bytes, stable: bool) -> VfsResult<()>;

    /// Makes data and metadata stable. One sync serves all that wait.
    async fn sync(&self) -> VfsResult<()>;

    /// Sets EndOfFile. What is gained reads as zeros.
    async fn set_len(&self, len: u64) -> VfsResult<()>;

    /// Sets AllocationSize: room is set aside if there is less, EndOfFile goes down to it if it
    /// is more. A volume that cannot set room aside does the second part only.
    async fn allocate(&self, size: u64) -> VfsResult<()>;

    /// Empties the file and gives it new attributes.
    async fn overwrite(&self, what: &Overwrite) -> VfsResult<()>;

    /// Everything about the file at once.
    async fn stat(&self) -> VfsResult<FileStat>;

    /// Sets times.
    async fn set_times(&self, times: SetTimes) -> VfsResult<()>;

    /// Sets the attributes; DIRECTORY and NORMAL are the kind's and are ignored here.
    async fn set_attributes(&self, attributes: FileAttributes) -> VfsResult<()>;

    /// The security descriptor kept with the file, self-relative.
    async fn security(&self) -> VfsResult<Option<Bytes>>;

    /// Replaces the security descriptor kept with the file.
    async fn set_security(&self, descriptor: Bytes) -> VfsResult<()>;

    /// The extended attributes that clients may see, in order of name.
    async fn extended_attributes(&self) -> VfsResult<Vec<(String, Bytes)>>;

    /// One of them, found without case.
    async fn extended_attribute(&self, name: &str) -> VfsResult<Bytes>;

    /// Sets one of them; an empty value removes it ([MS-FSCC] 2.4.16).
    async fn set_extended_attribute(&self, name: &str, value: Bytes) -> VfsResult<()>;

    /// Entries of a directory in a stable order (folded name, then exact name), those after the
    /// name `after`, which need not exist any more; `None` starts from the beginning and looks at
    /// the directory anew. At most `limit`, fewer only with [`Listing::end`].
    ///
    /// Names that clients cannot say, the server's own folders and objects that are neither file,
    /// directory nor link are left out. Entries made or removed while a listing goes on may or may
    /// not be seen; all others are seen exactly once.
    async fn list(&self, after: Option<&str>, limit: usize) -> VfsResult<Listing>;
}
