//! Names given, moved and taken away.
//!
//! The check of a key and the step that follows it are two system calls; between them the
//! reservation of the name keeps every other node away, and nobody else writes on the volume.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use holdfast_proto::types::FileKey;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::errno::on;
use super::target::Target;
use super::volume::{DIRECTORY_MODE, FILE_MODE, Volume, beneath};
use crate::vfs::{
    DirRef, FileKind, NameRefusal, NewNode, Removed, RenameMode, Renamed, VfsError, VfsResult,
    check_name,
};

/// [`Named`](crate::vfs::Named) with its parts owned.
pub(super) struct OwnedNamed {
    pub(super) dir: DirRef,
    pub(super) name: String,
    pub(super) key: FileKey,
}

impl Volume {
    /// Refuses names that cannot be given in `dir`.
    pub(super) fn check_new_name(&self, dir: &DirRef, name: &str) -> VfsResult<()> {
        check_name(name)?;
        if self.is_hidden(dir.key, name) {
            return Err(VfsError::InvalidName(NameRefusal::Reserved));
        }
        Ok(())
    }

    /// Makes an object under its name; what of it was made is removed again if that fails.
    pub(super) fn create_exclusive(
        &self,
        dir: &DirRef,
        name: &str,
        new: &NewNode,
    ) -> VfsResult<FileKey> {
        self.check_new_name(dir, name)?;
        let parent = self.open_dir(dir)?;
        let fd = make(parent.as_fd(), name, new.kind)?;
        let made = self.furnish(&fd, new).and_then(|()| self.key_of_open(fd.as_fd()));
        if made.is_err() {
            take_away(parent.as_fd(), name, new.kind);
        }
        made
    }

    /// The key of what a descriptor has open.
    pub(super) fn key_of_open(&self, fd: BorrowedFd<'_>) -> VfsResult<FileKey> {
        let target = Target::Open(fd);
        let statx = target.statx().map_err(on("statx"))?;
        self.key_of(&target, &statx)
    }

    /// Moves a name.
    pub(super) fn rename(
        &self,
        from: &OwnedNamed,
        dir: &DirRef,
        name: &str,
        mode: RenameMode,
    ) -> VfsResult<Renamed> {
        self.check_new_name(dir, name)?;
        if dir.key == from.key || dir.ancestors.contains(&from.key) {
            return Err(VfsError::IntoItself);
        }
        let old = self.open_dir(&from.dir)?;
        let new = self.open_dir(dir)?;
        let target = self.denoted(new.as_fd(), name)?;
        let is_there = target.is_some_and(|(key, _)| key == from.key);
        let kind = match self.denoted(old.as_fd(), &from.name)? {
            Some((key, kind)) if key == from.key => kind,
            _ if is_there => return Ok(Renamed::AlreadyThere),
            Some((found, _)) => {
                return Err(VfsError::Replaced { expected: from.key, found: Some(found) });
            }
            None => return Err(VfsError::NotFound),
        };
        if from.dir.key == dir.key && from.name == name {
            return Ok(Renamed::AlreadyThere);
        }
        match (target, mode) {
            (Some(_), RenameMode::NeverReplace) => Err(VfsError::AlreadyExists),
            (Some((found, _)), RenameMode::Replace(expected)) if found != expected => {
                Err(VfsError::Replaced { expected, found: Some(found) })
            }
            (Some((_, Some(FileKind::Directory))), _) => Err(VfsError::IsADirectory),
            (Some(_), RenameMode::Replace(_)) => {
                rustix::fs::renameat(&old, from.name.as_str(), &new, name)
                    .map_err(on("rename"))
                    .map(|()| Renamed::Moved)
            }
            (None, _) => {
                let is_dir = kind == Some(FileKind::Directory);
                move_without_replacing(old.as_fd(), &from.name, new.as_fd(), name, is_dir)
                    .map_err(on("rename"))
                    .map(|()| Renamed::Moved)
            }
        }
    }

    /// Takes a name away.
    pub(super) fn remove(&self, what: &OwnedNamed) -> VfsResult<Removed> {
        let dir = self.open_dir(&what.dir)?;
        if self.is_hidden(what.dir.key, &what.name) {
            return Err(VfsError::InvalidName(NameRefusal::Reserved));
        }
        let kind = match self.denoted(dir.as_fd(), &what.name)? {
            None => return Ok(Removed::AlreadyGone),
            Some((key, kind)) if key == what.key => kind,
            Some((found, _)) => {
                return Err(VfsError::Replaced { expected: what.key, found: Some(found) });
            }
        };
        let flags = match kind {
            Some(FileKind::Directory) => AtFlags::REMOVEDIR,
            _ => AtFlags::empty(),
        };
        match rustix::fs::unlinkat(&dir, what.name.as_str(), flags) {
            Ok(()) => Ok(Removed::Gone),
            Err(Errno::NOENT) => Ok(Removed::AlreadyGone),
            Err(Errno::EXIST) => Err(VfsError::DirectoryNotEmpty),
            Err(errno) => Err(on("remove")(errno)),
        }
    }
}

/// Makes an empty object that did not exist and opens it.
pub(super) fn make(dir: BorrowedFd<'_>, name: &str, kind: FileKind) -> VfsResult<OwnedFd> {
    match kind {
        FileKind::File => {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
            beneath(dir, name, flags, FILE_MODE).map_err(on("create a file"))
        }
        FileKind::Directory => {
            rustix::fs::mkdirat(dir, name, DIRECTORY_MODE).map_err(on("create a directory"))?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            beneath(dir, name, flags, Mode::empty()).map_err(on("open a new directory"))
        }
        FileKind::Symlink => Err(VfsError::NotSupported),
    }
}

/// Removes what a create that failed half-way has made. That it cannot be removed changes nothing
/// in the answer: the create has failed.
pub(super) fn take_away(dir: BorrowedFd<'_>, name: &str, kind: FileKind) {
    let flags = match kind {
        FileKind::Directory => AtFlags::REMOVEDIR,
        _ => AtFlags::empty(),
    };
    if let Err(errno) = rustix::fs::unlinkat(dir, name, flags) {
        tracing::warn!(name, %errno, "what a failed create has made cannot be removed");
    }
}

/// `rename` that never replaces.
pub(super) fn move_without_replacing(
    from: BorrowedFd<'_>,
    old: &str,
    to: BorrowedFd<'_>,
    new: &str,
    is_dir: bool,
) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        other => return other,
    }
    move_by_links(from, old, to, new, is_dir)
}

/// The same where the file system has no such call: a file is linked and its old name removed; a
/// directory is moved after a look, under the reservation of its name.
fn move_by_links(
    from: BorrowedFd<'_>,
    old: &str,
    to: BorrowedFd<'_>,
    new: &str,
    is_dir: bool,
) -> Result<(), Errno> {
    if is_dir {
        return match Target::Child(to, new).statx() {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(from, old, to, new),
            Err(errno) => Err(errno),
        };
    }
    rustix::fs::linkat(from, old, to, new, AtFlags::empty())?;
    rustix::fs::unlinkat(from, old, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::local::tests::Scratch;

    #[test]
    fn links_do_where_rename_cannot_refuse() {
        let scratch = Scratch::new();
        let root = std::fs::File::open(scratch.path()).unwrap();
        let root = root.as_fd();
        std::fs::write(scratch.path().join("a"), "a").unwrap();
        std::fs::write(scratch.path().join("b"), "b").unwrap();
        std::fs::create_dir(scratch.path().join("d")).unwrap();
        std::fs::create_dir(scratch.path().join("e")).unwrap();
        assert_eq!(move_by_links(root, "a", root, "b", false), Err(Errno::EXIST));
        assert_eq!(move_by_links(root, "a", root, "c", false), Ok(()));
        assert_eq!(move_by_links(root, "d", root, "e", true), Err(Errno::EXIST));
        assert_eq!(move_by_links(root, "d", root, "f", true), Ok(()));
        let mut names: Vec<_> = std::fs::read_dir(scratch.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["b", "c", "e", "f"]);
        assert_eq!(std::fs::read(scratch.path().join("b")).unwrap(), b"b");
    }
}
