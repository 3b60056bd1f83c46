//! From a client's path to a file: each component exactly first, without case otherwise.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use holdfast_proto::types::fold_char;
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::errno::on;
use super::target::Target;
use super::volume::{Volume, beneath, is_mount_root, kind_of};
use crate::vfs::{
    DirRef, Entry, FileKind, MAX_DEPTH, Resolved, VfsError, VfsResult, VolumePath, check_name,
};
use holdfast_proto::types::FileKey;

impl Volume {
    /// The directory that a share exports.
    pub(super) fn share_root(&self, path: &VolumePath) -> VfsResult<DirRef> {
        let mut handle = self.open_path(&VolumePath::root(), OFlags::PATH | OFlags::DIRECTORY);
        let mut dir: Option<DirRef> = None;
        let mut parts = path.components();
        loop {
            let fd = handle.map_err(|errno| match errno {
                Errno::NOENT | Errno::NOTDIR | Errno::LOOP => VfsError::PathNotFound,
                other => on("open a share's folder")(other),
            })?;
            let target = Target::Handle(fd.as_fd());
            let statx = target.statx().map_err(on("statx"))?;
            let key = self.key_of(&target, &statx)?;
            let here = match dir {
                None => DirRef { key, path: VolumePath::root(), ancestors: Vec::new() },
                Some(DirRef { path, ancestors, .. }) => DirRef { key, path, ancestors },
            };
            let Some(part) = parts.next() else { return Ok(here) };
            if self.is_hidden(key, part) {
                return Err(VfsError::PathNotFound);
            }
            // The key of the next one is filled in once it is open.
            dir = Some(here.child_dir(part, key));
            handle = beneath(fd.as_fd(), part, OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
        }
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
        let mut fd = self.open_dir(root)?;
        let mut dir = root.clone();
        for (component, asked) in above.iter().enumerate() {
            let (next, real) = self.step(fd.as_fd(), dir.key, asked, component)?;
            let target = Target::Handle(next.as_fd());
            let statx = target.statx().map_err(on("statx"))?;
            let key = self.key_of(&target, &statx)?;
            dir = dir.child_dir(&real, key);
            fd = next;
        }
        let leaf = self.find(fd.as_fd(), dir.key, name)?;
        Ok(Resolved { parent: dir, name: name.clone(), leaf })
    }

    /// What `name` denotes in `dir`.
    pub(super) fn lookup(&self, dir: &DirRef, name: &str) -> VfsResult<Option<Entry>> {
        check_name(name)?;
        let fd = self.open_dir(dir)?;
        self.find(fd.as_fd(), dir.key, name)
    }

    /// Opens the directory that a component on the way denotes, and tells its real name.
    fn step(
        &self,
        dir: BorrowedFd<'_>,
        key: FileKey,
        asked: &str,
        component: usize,
    ) -> VfsResult<(OwnedFd, String)> {
        if self.is_hidden(key, asked) {
            return Err(VfsError::PathNotFound);
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let open = |name: &str| match beneath(dir, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR) => Err(VfsError::PathNotFound),
            Err(Errno::LOOP) => Err(VfsError::SymlinkInPath { component }),
            Err(errno) => Err(on("open a directory")(errno)),
        };
        if let Some(fd) = open(asked)? {
            return Ok((fd, asked.to_owned()));
        }
        let real = spelt_otherwise(dir, asked)?.ok_or(VfsError::PathNotFound)?;
        let fd = open(&real)?.ok_or(VfsError::PathNotFound)?;
        Ok((fd, real))
    }

    /// What a last component denotes.
    fn find(&self, dir: BorrowedFd<'_>, key: FileKey, asked: &str) -> VfsResult<Option<Entry>> {
        if self.is_hidden(key, asked) {
            return Ok(None);
        }
        if let Some(found) = self.entry(dir, asked)? {
            return Ok(Some(found));
        }
        match spelt_otherwise(dir, asked)? {
            Some(real) => self.entry(dir, &real),
            None => Ok(None),
        }
    }

    /// The entry of exactly this name, if clients may see it.
    pub(super) fn entry(&self, dir: BorrowedFd<'_>, name: &str) -> VfsResult<Option<Entry>> {
        let target = Target::Child(dir, name);
        let statx = match target.statx() {
            Ok(statx) => statx,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(on("statx")(errno)),
        };
        if is_mount_root(&statx) || kind_of(&statx).is_none() {
            return Ok(None);
        }
        match self.stat(&target) {
            Ok(stat) => Ok(stat.map(|stat| Entry { name: name.to_owned(), stat })),
            // It went away between the two calls.
            Err(VfsError::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The key and kind of what exactly this name denotes, hidden or not.
    pub(super) fn denoted(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
    ) -> VfsResult<Option<(FileKey, Option<FileKind>)>> {
        let target = Target::Child(dir, name);
        match target.statx() {
            Ok(statx) => Ok(Some((self.key_of(&target, &statx)?, kind_of(&statx)))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(on("statx")(errno)),
        }
    }
}

/// The name in `dir` that differs from `asked` by case alone. If there are several, which only
/// somebody outside can have made, all nodes choose the same.
fn spelt_otherwise(dir: BorrowedFd<'_>, asked: &str) -> VfsResult<Option<String>> {
    let folded: Vec<char> = asked.chars().map(fold_char).collect();
    let is_ascii = asked.is_ascii();
    let mut found: Option<String> = None;
    each_name(dir, |name| {
        // Most names are plain; for them folding is what ASCII says, and the length must agree.
        let same = if is_ascii && name.is_ascii() {
            name.eq_ignore_ascii_case(asked)
        } else {
            name.chars().map(fold_char).eq(folded.iter().copied())
        };
        if same && found.as_deref().is_none_or(|other| name < other) {
            found = Some(name.to_owned());
        }
    })?;
    Ok(found)
}

/// Shows every name in a directory that is text, `.` and `..` included, read from the beginning
/// through a descriptor of its own.
pub(super) fn each_name(dir: BorrowedFd<'_>, mut show: impl FnMut(&str)) -> VfsResult<()> {
    const FAILED: &str = "read a directory";
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let fd = beneath(dir, ".", flags, Mode::empty()).map_err(on(FAILED))?;
    let mut buffer = vec![MaybeUninit::uninit(); 64 << 10];
    let mut entries = RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) => entry.file_name().to_str().map(&mut show).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(on(FAILED)(errno)),
        }
    }
    Ok(())
}
