//! Where things are: paths inside a volume, and the places and directories they lead to.
//!
//! Invariant: a [`VolumePath`] holds no empty component, no `.` and no `..`, so that it can only
//! go down. It spells names as the storage does (real case); matching without case happens while
//! a client's name is resolved and nowhere else.

use core::fmt;

use holdfast_proto::types::FileKey;

use super::{VfsError, VfsResult};

/// The deepest path that a volume is asked for, in components from its root. Each open keeps the
/// directories above it in the cluster's state, so this bounds what an open costs there.
pub const MAX_DEPTH: usize = 255;

/// A path from the root of a volume, in the storage's own spelling, its components joined by `/`.
/// The empty path is the root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VolumePath(String);

impl VolumePath {
    /// The root of the volume.
    pub const fn root() -> VolumePath {
        VolumePath(String::new())
    }

    /// Reads a path as settings and the log keep it. Leading and trailing separators are allowed.
    pub fn parse(text: &str) -> VfsResult<VolumePath> {
        let trimmed = text.trim_matches('/');
        if trimmed.is_empty() {
            return Ok(VolumePath::root());
        }
        let bad = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
        if trimmed.split('/').any(bad) {
            return Err(VfsError::InvalidPath);
        }
        if trimmed.split('/').count() > MAX_DEPTH {
            return Err(VfsError::TooDeep);
        }
        Ok(VolumePath(trimmed.to_owned()))
    }

    /// What `name` is called in this directory. `name` is one component that the storage itself
    /// told or that has passed the name rules.
    pub fn join(&self, name: &str) -> VolumePath {
        debug_assert!(!name.is_empty() && !name.contains('/') && name != "." && name != "..");
        if self.0.is_empty() {
            VolumePath(name.to_owned())
        } else {
            VolumePath(format!("{}/{name}", self.0))
        }
    }

    /// The text, without a leading separator.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the root of the volume.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The components from the top down.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The directory above and the last component; `None` for the root.
    pub fn split_last(&self) -> Option<(VolumePath, &str)> {
        if self.0.is_empty() {
            return None;
        }
        Some(match self.0.rsplit_once('/') {
            Some((above, name)) => (VolumePath(above.to_owned()), name),
            None => (VolumePath::root(), &self.0),
        })
    }
}

impl fmt::Debug for VolumePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

impl fmt::Display for VolumePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A file or directory together with the path on which it was last seen. Whoever opens it checks
/// that the path still leads to that key; any node of the cluster can do so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where it was.
    pub path: VolumePath,
    /// What it is.
    pub key: FileKey,
}

/// A directory in which a name is looked up, made, moved or removed. Each such step finds the
/// directory by its path, checks its key, and fails with [`VfsError::Replaced`] if it is another
/// one by now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirRef {
    /// The directory itself.
    pub key: FileKey,
    /// Its path.
    pub path: VolumePath,
    /// The keys of the directories above it, from the root of the volume down to its parent.
    /// Empty for the root of the volume.
    pub ancestors: Vec<FileKey>,
}

impl DirRef {
    /// How many components lead to it from the root of the volume.
    pub fn depth(&self) -> usize {
        self.path.components().count()
    }

    /// The directory as something to open.
    pub fn place(&self) -> Place {
        Place { path: self.path.clone(), key: self.key }
    }

    /// The place of what `name`, in the storage's spelling, denotes in this directory.
    pub fn child(&self, name: &str, key: FileKey) -> Place {
        Place { path: self.path.join(name), key }
    }

    /// A directory of this directory.
    pub fn child_dir(&self, name: &str, key: FileKey) -> DirRef {
        let mut ancestors = Vec::with_capacity(self.ancestors.len() + 1);
        ancestors.extend_from_slice(&self.ancestors);
        ancestors.push(self.key);
        DirRef { key, path: self.path.join(name), ancestors }
    }
}
