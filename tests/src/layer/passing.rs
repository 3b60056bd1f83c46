//! Carries operations out on the folder beneath.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    self, AtFlags, CWD, FallocateFlags, Mode, OFlags, RawDir, RenameFlags, SeekFrom, Statx,
    StatxFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, XattrFlags,
};
use rustix::io::{Errno, ReadWriteFlags};
use rustix::process::{Gid, Uid};

use super::inodes::{Handles, Inodes};
use super::wire::{Answer, Body, DATA_MAX, MAJOR, Request, op};

/// Linux keeps no attribute beyond this, in bytes.
const ATTRIBUTE_MAX: usize = 1 << 16;
/// How much of a directory is read at a time, in bytes.
const LISTING: usize = 32 << 10;

/// The folder beneath, as one mount shows it.
pub struct Passing {
    inodes: Inodes,
    handles: Handles,
}

impl Passing {
    pub fn new(folder: &Path) -> Result<Passing, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = fs::open(folder, flags, Mode::empty())?;
        let inode = stat(&root)?.stx_ino;
        Ok(Passing { inodes: Inodes::new(root, inode), handles: Handles::default() })
    }

    /// What only tells the layer that something is given up. No answer is expected to a forgetting.
    pub fn give_up(&self, request: &Request) -> Option<Result<Answer, Errno>> {
        let mut body = request.body();
        match request.opcode {
            op::FORGET => {
                if let Ok(lookups) = body.u64() {
                    self.inodes.forget(request.node, lookups);
                }
                None
            }
            op::BATCH_FORGET => {
                let (Ok(count), Ok(_padding)) = (body.u32(), body.u32()) else { return None };
                for _ in 0..count {
                    let (Ok(node), Ok(lookups)) = (body.u64(), body.u64()) else { break };
                    self.inodes.forget(node, lookups);
                }
                None
            }
            op::INTERRUPT => None,
            op::RELEASE | op::RELEASEDIR => Some(body.u64().map(|handle| {
                self.handles.remove(handle);
                Answer::default()
            })),
            op::INIT => Some(initialise(body)),
            _ => Some(Ok(Answer::default())),
        }
    }

    /// Does what is asked for.
    pub fn perform(&self, request: &Request) -> Result<Answer, Errno> {
        let (node, mut body) = (request.node, request.body());
        match request.opcode {
            op::LOOKUP => self.lookup(node, body),
            op::GETATTR => self.attributes(node),
            op::STATX => {
                let statx = self.stat(node)?;
                Ok(answer(|answer| {
                    answer.statx(&statx);
                }))
            }
            op::SETATTR => self.set_attributes(node, body),
            op::READLINK => self.read_link(node),
            op::SYMLINK => self.symlink(node, body),
            op::MKDIR => self.make_directory(node, body),
            op::UNLINK => self.unlink(node, body, AtFlags::empty()),
            op::RMDIR => self.unlink(node, body, AtFlags::REMOVEDIR),
            op::RENAME => {
                let to = body.u64()?;
                self.rename(node, to, body, RenameFlags::empty())
            }
            op::RENAME2 => {
                let to = body.u64()?;
                let flags = RenameFlags::from_bits_retain(body.u32()?);
                body.u32()?;
                self.rename(node, to, body, flags)
            }
            op::LINK => self.link(node, body),
            op::OPEN => self.open(node, body),
            op::CREATE => self.create(node, body),
            op::READ => self.read(body),
            op::WRITE => self.write(body),
            op::FSYNC | op::FSYNCDIR => self.sync(body),
            op::FALLOCATE => self.allocate(body),
            op::STATFS => self.room(node),
            op::GETXATTR => self.attribute(node, body),
            op::SETXATTR => self.set_attribute(node, body),
            op::LISTXATTR => self.list_attributes(node, body),
            op::REMOVEXATTR => {
                fs::removexattr(self.path(node)?, body.name()?)?;
                Ok(Answer::default())
            }
            op::OPENDIR => self.open_directory(node),
            op::READDIR => self.list(body),
            // The kernel then does without, or by other means.
            _ => Err(Errno::NOSYS),
        }
    }

    fn stat(&self, node: u64) -> Result<Statx, Errno> {
        let fd = self.inodes.get(node)?;
        stat(&fd)
    }

    /// Good for as long as the kernel asks about the inode, which it does not forget meanwhile.
    fn path(&self, node: u64) -> Result<String, Errno> {
        let fd = self.inodes.get(node)?;
        Ok(own_path(&fd))
    }

    fn entry(&self, fd: OwnedFd) -> Result<(u64, Statx), Errno> {
        let found = stat(&fd)?;
        Ok((self.inodes.found(fd, found.stx_ino), found))
    }

    fn lookup(&self, parent: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let parent = self.inodes.get(parent)?;
        let fd = fs::openat(&*parent, body.name()?, PATH, Mode::empty())?;
        let (node, statx) = self.entry(fd)?;
        Ok(answer(|answer| {
            answer.entry(node, &statx);
        }))
    }

    fn attributes(&self, node: u64) -> Result<Answer, Errno> {
        let statx = self.stat(node)?;
        Ok(answer(|answer| {
            answer.attributes_alone(&statx);
        }))
    }

    fn set_attributes(&self, node: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        const MODE: u32 = 1;
        const UID: u32 = 1 << 1;
        const GID: u32 = 1 << 2;
        const SIZE: u32 = 1 << 3;
        const ACCESS: u32 = 1 << 4;
        const MODIFICATION: u32 = 1 << 5;
        const HANDLE: u32 = 1 << 6;
        const ACCESS_NOW: u32 = 1 << 7;
        const MODIFICATION_NOW: u32 = 1 << 8;
        let valid = body.u32()?;
        body.u32()?;
        let (handle, size, _lock_owner) = (body.u64()?, body.u64()?, body.u64()?);
        let (access, modification, _change) = (body.u64()?, body.u64()?, body.u64()?);
        let (access_nanos, modification_nanos, _change) = (body.u32()?, body.u32()?, body.u32()?);
        let (mode, _, uid, gid) = (body.u32()?, body.u32()?, body.u32()?, body.u32()?);
        let has = |bit: u32| valid & bit != 0;
        let fd = self.inodes.get(node)?;
        let path = own_path(&fd);
        if has(MODE) {
            fs::chmod(&path, Mode::from_raw_mode(mode))?;
        }
        if has(UID | GID) {
            let uid = has(UID).then(|| Uid::from_raw(uid));
            let gid = has(GID).then(|| Gid::from_raw(gid));
            fs::chown(&path, uid, gid)?;
        }
        if has(SIZE) && has(HANDLE) {
            fs::ftruncate(&self.handles.get(handle)?.fd, size)?;
        } else if has(SIZE) {
            let file = fs::open(&path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            fs::ftruncate(file, size)?;
        }
        if has(ACCESS | MODIFICATION) {
            let time = |set, now, seconds: u64, nanos: u32| match (has(set), has(now)) {
                (true, true) => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
                (true, false) => Timespec { tv_sec: seconds as i64, tv_nsec: nanos.into() },
                (false, _) => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            };
            let times = Timestamps {
                last_access: time(ACCESS, ACCESS_NOW, access, access_nanos),
                last_modification: time(
                    MODIFICATION,
                    MODIFICATION_NOW,
                    modification,
                    modification_nanos,
                ),
            };
            fs::utimensat(CWD, &path, &times, AtFlags::empty())?;
        }
        self.attributes(node)
    }

    fn read_link(&self, node: u64) -> Result<Answer, Errno> {
        let target = fs::readlinkat(&*self.inodes.get(node)?, c"", Vec::<u8>::new())?;
        Ok(Answer::of_bytes(target.into_bytes()))
    }

    fn symlink(&self, parent: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let name = body.name()?;
        fs::symlinkat(body.name()?, &*self.inodes.get(parent)?, name)?;
        self.made(parent, name)
    }

    fn make_directory(&self, parent: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (mode, _umask) = (body.u32()?, body.u32()?);
        let name = body.name()?;
        fs::mkdirat(&*self.inodes.get(parent)?, name, Mode::from_raw_mode(mode))?;
        self.made(parent, name)
    }

    fn made(&self, parent: u64, name: &std::ffi::CStr) -> Result<Answer, Errno> {
        let fd = fs::openat(&*self.inodes.get(parent)?, name, PATH, Mode::empty())?;
        let (node, statx) = self.entry(fd)?;
        Ok(answer(|answer| {
            answer.entry(node, &statx);
        }))
    }

    fn unlink(&self, parent: u64, mut body: Body<'_>, how: AtFlags) -> Result<Answer, Errno> {
        fs::unlinkat(&*self.inodes.get(parent)?, body.name()?, how)?;
        Ok(Answer::default())
    }

    fn rename(
        &self,
        from: u64,
        to: u64,
        mut body: Body<'_>,
        flags: RenameFlags,
    ) -> Result<Answer, Errno> {
        let (old, new) = (body.name()?, body.name()?);
        let (from, to) = (self.inodes.get(from)?, self.inodes.get(to)?);
        fs::renameat_with(&*from, old, &*to, new, flags)?;
        Ok(Answer::default())
    }

    fn link(&self, parent: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let old = self.inodes.get(body.u64()?)?;
        let name = body.name()?;
        let parent_fd = self.inodes.get(parent)?;
        fs::linkat(CWD, own_path(&old), &*parent_fd, name, AtFlags::SYMLINK_FOLLOW)?;
        self.made(parent, name)
    }

    fn open(&self, node: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let flags = OFlags::from_bits_retain(body.u32()?) & OFlags::ACCMODE;
        let path = self.path(node)?;
        let fd = fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())?;
        Ok(answer(|answer| {
            answer.opened(self.handles.add(fd));
        }))
    }

    fn create(&self, parent: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (flags, mode) = (OFlags::from_bits_retain(body.u32()?), body.u32()?);
        let (_umask, _open_flags) = (body.u32()?, body.u32()?);
        let kept = OFlags::ACCMODE | OFlags::EXCL | OFlags::TRUNC;
        let flags = (flags & kept) | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = self.inodes.get(parent)?;
        let fd = fs::openat(&*parent, body.name()?, flags, Mode::from_raw_mode(mode))?;
        let path = fs::open(own_path(&fd), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let (node, statx) = self.entry(path)?;
        Ok(answer(|answer| {
            answer.entry(node, &statx).opened(self.handles.add(fd));
        }))
    }

    fn read(&self, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (handle, offset, size) = (body.u64()?, body.u64()?, body.u32()?);
        let mut data = vec![0; size.min(DATA_MAX) as usize];
        let length = rustix::io::pread(&self.handles.get(handle)?.fd, &mut data[..], offset)?;
        data.truncate(length);
        Ok(Answer::of_bytes(data))
    }

    fn write(&self, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (handle, offset) = (body.u64()?, body.u64()?);
        let (size, _write_flags, _lock_owner) = (body.u32()?, body.u32()?, body.u64()?);
        let (flags, _padding) = (OFlags::from_bits_retain(body.u32()?), body.u32()?);
        let data = body.bytes(size as usize)?;
        let stable = match flags.intersects(OFlags::DSYNC | OFlags::SYNC) {
            true => ReadWriteFlags::DSYNC,
            false => ReadWriteFlags::empty(),
        };
        let handle = self.handles.get(handle)?;
        let written = rustix::io::pwritev2(&handle.fd, &[IoSlice::new(data)], offset, stable)?;
        Ok(answer(|answer| {
            answer.u32(written as u32).u32(0);
        }))
    }

    fn sync(&self, mut body: Body<'_>) -> Result<Answer, Errno> {
        const DATA_ONLY: u32 = 1;
        let (handle, flags) = (self.handles.get(body.u64()?)?, body.u32()?);
        match flags & DATA_ONLY != 0 {
            true => fs::fdatasync(&handle.fd)?,
            false => fs::fsync(&handle.fd)?,
        }
        Ok(Answer::default())
    }

    fn allocate(&self, mut body: Body<'_>) -> Result<Answer, Errno> {
        let handle = self.handles.get(body.u64()?)?;
        let (offset, length, mode) = (body.u64()?, body.u64()?, body.u32()?);
        fs::fallocate(&handle.fd, FallocateFlags::from_bits_retain(mode), offset, length)?;
        Ok(Answer::default())
    }

    fn room(&self, node: u64) -> Result<Answer, Errno> {
        let room = fs::fstatvfs(&*self.inodes.get(node)?)?;
        Ok(answer(|answer| {
            answer.u64(room.f_blocks).u64(room.f_bfree).u64(room.f_bavail);
            answer.u64(room.f_files).u64(room.f_ffree).u32(room.f_bsize as u32);
            answer.u32(room.f_namemax as u32).u32(room.f_frsize as u32).zeros(28);
        }))
    }

    fn attribute(&self, node: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (room, _padding) = (body.u32()?, body.u32()?);
        let mut value = vec![0; ATTRIBUTE_MAX];
        let path = self.path(node)?;
        let length = fs::getxattr(path, body.name()?, &mut value[..])?;
        value.truncate(length);
        sized(value, room)
    }

    fn set_attribute(&self, node: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (size, flags) = (body.u32()?, XattrFlags::from_bits_retain(body.u32()?));
        let name = body.name()?;
        let value = body.bytes(size as usize)?;
        fs::setxattr(self.path(node)?, name, value, flags)?;
        Ok(Answer::default())
    }

    fn list_attributes(&self, node: u64, mut body: Body<'_>) -> Result<Answer, Errno> {
        let room = body.u32()?;
        let mut names = vec![0; ATTRIBUTE_MAX];
        let length = fs::listxattr(self.path(node)?, &mut names[..])?;
        names.truncate(length);
        sized(names, room)
    }

    fn open_directory(&self, node: u64) -> Result<Answer, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::openat(&*self.inodes.get(node)?, c".", flags, Mode::empty())?;
        Ok(answer(|answer| {
            answer.opened_directory(self.handles.add(fd));
        }))
    }

    fn list(&self, mut body: Body<'_>) -> Result<Answer, Errno> {
        let (handle, offset, room) = (self.handles.get(body.u64()?)?, body.u64()?, body.u32()?);
        let _turn = handle.turn.lock();
        fs::seek(&handle.fd, SeekFrom::Start(offset))?;
        let mut buffer = vec![MaybeUninit::uninit(); LISTING];
        let mut directory = RawDir::new(&handle.fd, &mut buffer);
        let mut listing = Answer::default();
        while let Some(entry) = directory.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            let padding = name.len().next_multiple_of(8) - name.len();
            if listing.len() + 24 + name.len() + padding > room as usize {
                break;
            }
            // DT_* is the type in a mode, shifted.
            let kind = entry.file_type().as_raw_mode() >> 12;
            listing.u64(entry.ino()).u64(entry.next_entry_cookie());
            listing.u32(name.len() as u32).u32(kind).bytes(name).zeros(padding);
        }
        Ok(listing)
    }
}

const PATH: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn answer(write: impl FnOnce(&mut Answer)) -> Answer {
    let mut answer = Answer::default();
    write(&mut answer);
    answer
}

/// As much as the kernel has room for, or how much there is if it asks only for that.
fn sized(value: Vec<u8>, room: u32) -> Result<Answer, Errno> {
    match room {
        0 => Ok(answer(|answer| {
            answer.u32(value.len() as u32).u32(0);
        })),
        room if value.len() > room as usize => Err(Errno::RANGE),
        _ => Ok(Answer::of_bytes(value)),
    }
}

fn initialise(mut body: Body<'_>) -> Result<Answer, Errno> {
    let (major, minor, readahead) = (body.u32()?, body.u32()?, body.u32()?);
    match major {
        MAJOR => Ok(answer(|answer| {
            answer.initialised(minor, readahead);
        })),
        _ => Err(Errno::PROTO),
    }
}

fn stat(fd: &OwnedFd) -> Result<Statx, Errno> {
    fs::statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::BTIME)
}

/// The path under which the kernel shows what this process has open.
fn own_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
