//! How files and directories come into being.
//!
//! A create that another node could be asked to repeat is *staged*: the object is made complete
//! in a hidden folder of the volume, carries a mark that names the intent, and is put in place by
//! a step that never replaces. Whoever finds the mark under the name knows which intent made the
//! object. Creates that nobody could repeat use [`Vfs::create_exclusive`](super::Vfs).

use core::fmt;

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey, FileTime};

use super::FileKind;

/// Names the intent that made a file. The storage keeps it with the file, bound to this very
/// file, until the grant is in the log. Clients never see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentMark(pub u128);

impl fmt::Debug for IntentMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mark:{:032x}", self.0)
    }
}

/// What a new file or directory is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewNode {
    /// File or directory; a [`FileKind::Symlink`] is refused.
    pub kind: FileKind,
    /// Its attributes; DIRECTORY and NORMAL are taken from `kind` and need not be given.
    pub attributes: FileAttributes,
    /// CreationTime; `None` is now.
    pub creation: Option<FileTime>,
    /// Room to set aside for a file's data, in bytes.
    pub allocation: u64,
    /// Its security descriptor, self-relative; `None` keeps none with the file.
    pub security: Option<Bytes>,
    /// Its extended attributes, name and value.
    pub attributes_extended: Vec<(String, Bytes)>,
    /// True when it has to be stable before the call returns. Its *name* becomes stable with
    /// [`Vfs::sync_dir`](super::Vfs::sync_dir).
    pub stable: bool,
}

impl NewNode {
    /// An ordinary file or directory: created now, no descriptor, nothing set aside.
    pub fn new(kind: FileKind, attributes: FileAttributes) -> NewNode {
        NewNode {
            kind,
            attributes,
            creation: None,
            allocation: 0,
            security: None,
            attributes_extended: Vec::new(),
            stable: false,
        }
    }
}

/// A complete object that has no name yet that a client could see. Dropping this value leaves the
/// object in the staging folder; [`Vfs::discard_staged`](super::Vfs::discard_staged) removes it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a staged object has to be put in place or discarded"]
pub struct Staged {
    /// The intent.
    pub mark: IntentMark,
    /// The object's key, which it keeps when it is put in place.
    pub key: FileKey,
    /// File or directory.
    pub kind: FileKind,
}

/// A mark that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marked {
    /// The intent that made the object.
    pub mark: IntentMark,
    /// The object.
    pub key: FileKey,
    /// File or directory.
    pub kind: FileKind,
}
