//! Which inode the kernel means by a number, and what it has open.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::io::Errno;

/// The kernel's number of the root.
const ROOT: u64 = 1;

/// An inode that the kernel knows.
struct Known {
    /// Opened with O_PATH: it stands for the inode whatever becomes of its name, and keeps its
    /// number from being given to another.
    fd: Arc<OwnedFd>,
    inode: u64,
    /// How often the kernel was told of it and has not forgotten.
    lookups: u64,
}

struct Table {
    known: BTreeMap<u64, Known>,
    by_inode: BTreeMap<u64, u64>,
    last: u64,
}

/// All inodes that the kernel knows.
pub struct Inodes(Mutex<Table>);

impl Inodes {
    /// Of a file system whose root is this.
    pub fn new(root: OwnedFd, inode: u64) -> Inodes {
        let known = Known { fd: Arc::new(root), inode, lookups: 1 };
        let (known, by_inode) = ([(ROOT, known)].into(), [(inode, ROOT)].into());
        Inodes(Mutex::new(Table { known, by_inode, last: ROOT }))
    }

    /// What a number stands for.
    pub fn get(&self, node: u64) -> Result<Arc<OwnedFd>, Errno> {
        self.0.lock().known.get(&node).map(|known| known.fd.clone()).ok_or(Errno::STALE)
    }

    /// The number of an inode that the kernel is told of now.
    pub fn found(&self, fd: OwnedFd, inode: u64) -> u64 {
        let mut table = self.0.lock();
        if let Some(node) = table.by_inode.get(&inode).copied()
            && let Some(known) = table.known.get_mut(&node)
        {
            known.lookups += 1;
            return node;
        }
        table.last += 1;
        let node = table.last;
        table.known.insert(node, Known { fd: Arc::new(fd), inode, lookups: 1 });
        table.by_inode.insert(inode, node);
        node
    }

    /// The kernel forgets what it was told so many times.
    pub fn forget(&self, node: u64, lookups: u64) {
        let mut table = self.0.lock();
        let Some(known) = table.known.get_mut(&node) else { return };
        known.lookups = known.lookups.saturating_sub(lookups);
        if known.lookups == 0 && node != ROOT {
            let inode = known.inode;
            table.known.remove(&node);
            table.by_inode.remove(&inode);
        }
    }
}

/// Something open.
pub struct Handle {
    pub fd: OwnedFd,
    /// A directory's position is used by one READDIR at a time.
    pub turn: Mutex<()>,
}

/// All that the kernel has open.
#[derive(Default)]
pub struct Handles(Mutex<(u64, BTreeMap<u64, Arc<Handle>>)>);

impl Handles {
    pub fn add(&self, fd: OwnedFd) -> u64 {
        let (last, open) = &mut *self.0.lock();
        *last += 1;
        open.insert(*last, Arc::new(Handle { fd, turn: Mutex::default() }));
        *last
    }

    pub fn get(&self, handle: u64) -> Result<Arc<Handle>, Errno> {
        self.0.lock().1.get(&handle).cloned().ok_or(Errno::BADF)
    }

    pub fn remove(&self, handle: u64) {
        self.0.lock().1.remove(&handle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn an_inode_is_known_until_it_is_forgotten_as_often_as_found() {
        let open = || OwnedFd::from(File::open("/").unwrap());
        let inodes = Inodes::new(open(), 10);
        let node = inodes.found(open(), 20);
        assert_eq!(inodes.found(open(), 20), node);
        inodes.forget(node, 1);
        assert!(inodes.get(node).is_ok());
        inodes.forget(node, 1);
        assert_eq!(inodes.get(node).unwrap_err(), Errno::STALE);
        assert_ne!(inodes.found(open(), 20), node, "numbers are not given out twice");
        inodes.forget(ROOT, 9);
        assert!(inodes.get(ROOT).is_ok());
    }
}
