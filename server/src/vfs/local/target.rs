//! One object of the tree, however it is reached: through a descriptor or by its name in an open
//! directory. Its stat data and its extended attributes.
//!
//! Invariant: a name is one component, so that neither way can leave the directory.

use std::fmt::Write as _;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{AtFlags, Statx, StatxFlags, XattrFlags};
use rustix::io::Errno;

/// How an object is reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// A descriptor that was opened for reading or writing.
    Open(BorrowedFd<'a>),
    /// A descriptor that only names its object (`O_PATH`).
    Handle(BorrowedFd<'a>),
    /// A name in an open directory. A link is the link itself.
    Child(BorrowedFd<'a>, &'a str),
}

/// What is asked of `statx`: everything that a [`FileStat`](crate::vfs::FileStat) needs.
fn wanted() -> StatxFlags {
    StatxFlags::BASIC_STATS | StatxFlags::BTIME
}

impl Target<'_> {
    /// `statx` without following a link and without triggering a mount.
    pub(super) fn statx(&self) -> Result<Statx, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match self {
            Target::Open(fd) | Target::Handle(fd) => {
                rustix::fs::statx(fd, c"", flags | AtFlags::EMPTY_PATH, wanted())
            }
            Target::Child(dir, name) => rustix::fs::statx(dir, *name, flags, wanted()),
        }
    }

    /// The path under which the kernel shows this object to its own process. The magic link stands
    /// for a descriptor that is held open, so nothing can be put in its place.
    fn own_path(&self) -> String {
        let mut path = String::with_capacity(64);
        let (fd, name) = match self {
            Target::Open(fd) | Target::Handle(fd) => (fd.as_raw_fd(), None),
            Target::Child(dir, name) => (dir.as_raw_fd(), Some(name)),
        };
        let _ = write!(path, "/proc/self/fd/{fd}");
        if let Some(name) = name {
            path.push('/');
            path.push_str(name);
        }
        path
    }

    fn read_attribute(&self, name: &str, into: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Target::Open(fd) => rustix::fs::fgetxattr(fd, name, into),
            Target::Handle(_) => rustix::fs::getxattr(self.own_path(), name, into),
            Target::Child(..) => rustix::fs::lgetxattr(self.own_path(), name, into),
        }
    }

    /// An extended attribute by its full name; `None` when there is none, or none can be.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<Vec<u8>>, Errno> {
        let mut small = [0u8; 128];
        let mut size = match self.read_attribute(name, &mut small) {
            Ok(len) => return Ok(Some(small[..len].to_vec())),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(Errno::RANGE) => 4096,
            Err(errno) => return Err(errno),
        };
        loop {
            let mut value = vec![0; size];
            match self.read_attribute(name, &mut value) {
                Ok(len) => {
                    value.truncate(len);
                    return Ok(Some(value));
                }
                Err(Errno::NODATA) => return Ok(None),
                // Linux keeps no value beyond 64 KiB.
                Err(Errno::RANGE) if size < 1 << 16 => size = 1 << 16,
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Sets an extended attribute by its full name.
    pub(super) fn set_attribute(
        &self,
        name: &str,
        value: &[u8],
        flags: XattrFlags,
    ) -> Result<(), Errno> {
        match self {
            Target::Open(fd) => rustix::fs::fsetxattr(fd, name, value, flags),
            Target::Handle(_) => rustix::fs::setxattr(self.own_path(), name, value, flags),
            Target::Child(..) => rustix::fs::lsetxattr(self.own_path(), name, value, flags),
        }
    }

    /// Removes an extended attribute by its full name; that it was not there is success.
    pub(super) fn remove_attribute(&self, name: &str) -> Result<(), Errno> {
        let gone = match self {
            Target::Open(fd) => rustix::fs::fremovexattr(fd, name),
            Target::Handle(_) => rustix::fs::removexattr(self.own_path(), name),
            Target::Child(..) => rustix::fs::lremovexattr(self.own_path(), name),
        };
        match gone {
            Err(Errno::NODATA) => Ok(()),
            other => other,
        }
    }

    fn read_attribute_names(&self, into: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Target::Open(fd) => rustix::fs::flistxattr(fd, into),
            Target::Handle(_) => rustix::fs::listxattr(self.own_path(), into),
            Target::Child(..) => rustix::fs::llistxattr(self.own_path(), into),
        }
    }

    /// The full names of all extended attributes that are text, in order.
    pub(super) fn attribute_names(&self) -> Result<Vec<String>, Errno> {
        let mut size = 1024;
        loop {
            let mut list = vec![0; size];
            match self.read_attribute_names(&mut list) {
                Ok(len) => {
                    let names = list[..len].split(|byte| *byte == 0);
                    let mut names: Vec<String> = names
                        .filter(|name| !name.is_empty())
                        .filter_map(|name| std::str::from_utf8(name).ok().map(str::to_owned))
                        .collect();
                    names.sort_unstable();
                    return Ok(names);
                }
                Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
                // Linux keeps no list beyond 64 KiB.
                Err(Errno::RANGE) if size < 1 << 16 => size = 1 << 16,
                Err(errno) => return Err(errno),
            }
        }
    }
}
