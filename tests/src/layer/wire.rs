//! The kernel's FUSE protocol, as far as the layer speaks it: requests are taken apart and answers
//! put together field by field. Numbers are in the machine's own byte order.

use std::ffi::CStr;

use rustix::fs::Statx;
use rustix::io::Errno;

/// The version of the protocol that is spoken; the kernel speaks every older one.
pub const MAJOR: u32 = 7;
/// The first one with STATX, which tells birth times.
pub const MINOR: u32 = 39;

/// The longest WRITE and READ, in bytes.
pub const DATA_MAX: u32 = 1 << 20;
/// The longest request: a WRITE with its headers.
pub const REQUEST_MAX: usize = DATA_MAX as usize + 4096;

const IN_HEADER: usize = 40;
const OUT_HEADER: usize = 16;

/// Operations by the kernel's numbers.
pub mod op {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const SETATTR: u32 = 4;
    pub const READLINK: u32 = 5;
    pub const SYMLINK: u32 = 6;
    pub const MKDIR: u32 = 9;
    pub const UNLINK: u32 = 10;
    pub const RMDIR: u32 = 11;
    pub const RENAME: u32 = 12;
    pub const LINK: u32 = 13;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const WRITE: u32 = 16;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FSYNC: u32 = 20;
    pub const SETXATTR: u32 = 21;
    pub const GETXATTR: u32 = 22;
    pub const LISTXATTR: u32 = 23;
    pub const REMOVEXATTR: u32 = 24;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const FSYNCDIR: u32 = 30;
    pub const CREATE: u32 = 35;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const BATCH_FORGET: u32 = 42;
    pub const FALLOCATE: u32 = 43;
    pub const RENAME2: u32 = 45;
    pub const STATX: u32 = 52;
}

/// An operation's name.
pub fn name(opcode: u32) -> &'static str {
    match opcode {
        op::LOOKUP => "lookup",
        op::GETATTR | op::STATX => "stat",
        op::SETATTR => "setattr",
        op::READLINK => "readlink",
        op::SYMLINK => "symlink",
        op::MKDIR => "mkdir",
        op::UNLINK => "unlink",
        op::RMDIR => "rmdir",
        op::RENAME | op::RENAME2 => "rename",
        op::LINK => "link",
        op::OPEN => "open",
        op::READ => "read",
        op::WRITE => "write",
        op::STATFS => "statfs",
        op::FSYNC => "fsync",
        op::SETXATTR => "setxattr",
        op::GETXATTR => "getxattr",
        op::LISTXATTR => "listxattr",
        op::REMOVEXATTR => "removexattr",
        op::OPENDIR => "opendir",
        op::READDIR => "readdir",
        op::FSYNCDIR => "fsyncdir",
        op::CREATE => "create",
        op::FALLOCATE => "fallocate",
        _ => "other",
    }
}

/// True for what alters the storage, or promises that it was altered for good.
pub fn changes(opcode: u32) -> bool {
    matches!(
        opcode,
        op::SETATTR
            | op::SYMLINK
            | op::MKDIR
            | op::UNLINK
            | op::RMDIR
            | op::RENAME
            | op::RENAME2
            | op::LINK
            | op::WRITE
            | op::FSYNC
            | op::FSYNCDIR
            | op::SETXATTR
            | op::REMOVEXATTR
            | op::CREATE
            | op::FALLOCATE
    )
}

/// A request as it came from the kernel.
pub struct Request {
    pub opcode: u32,
    /// What its answer names.
    pub unique: u64,
    /// The inode that it is about.
    pub node: u64,
    body: Vec<u8>,
}

impl Request {
    /// None if it is shorter than its header.
    pub fn read(bytes: &[u8]) -> Option<Request> {
        let mut header = Body(bytes.get(..IN_HEADER)?);
        let mut fields = || -> Result<(u32, u64, u64), Errno> {
            header.u32()?;
            Ok((header.u32()?, header.u64()?, header.u64()?))
        };
        let (opcode, unique, node) = fields().ok()?;
        Some(Request { opcode, unique, node, body: bytes[IN_HEADER..].to_vec() })
    }

    pub fn body(&self) -> Body<'_> {
        Body(&self.body)
    }

    /// Its answer: what the operation gave, or why it did not.
    pub fn answer(&self, result: &Result<Answer, Errno>) -> Vec<u8> {
        let (error, payload) = match result {
            Ok(answer) => (0, answer.0.as_slice()),
            Err(errno) => (-errno.raw_os_error(), [].as_slice()),
        };
        let length = (OUT_HEADER + payload.len()) as u32;
        let mut bytes = Vec::with_capacity(length as usize);
        bytes.extend_from_slice(&length.to_ne_bytes());
        bytes.extend_from_slice(&error.to_ne_bytes());
        bytes.extend_from_slice(&self.unique.to_ne_bytes());
        bytes.extend_from_slice(payload);
        bytes
    }
}

/// What of a request is not read yet. Whatever it lacks is the kernel's mistake: EINVAL.
#[derive(Clone, Copy)]
pub struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Errno> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Errno::INVAL)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn u32(&mut self) -> Result<u32, Errno> {
        let bytes = self.bytes(4)?.try_into().map_err(|_| Errno::INVAL)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    pub fn u64(&mut self) -> Result<u64, Errno> {
        let bytes = self.bytes(8)?.try_into().map_err(|_| Errno::INVAL)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    /// A name with its zero byte.
    pub fn name(&mut self) -> Result<&'a CStr, Errno> {
        let name = CStr::from_bytes_until_nul(self.0).map_err(|_| Errno::INVAL)?;
        self.bytes(name.to_bytes_with_nul().len())?;
        Ok(name)
    }
}

/// What follows an answer's header.
#[derive(Default)]
pub struct Answer(Vec<u8>);

impl Answer {
    pub fn of_bytes(bytes: Vec<u8>) -> Answer {
        Answer(bytes)
    }

    pub fn u32(&mut self, value: u32) -> &mut Answer {
        self.bytes(&value.to_ne_bytes())
    }

    pub fn u64(&mut self, value: u64) -> &mut Answer {
        self.bytes(&value.to_ne_bytes())
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Answer {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn zeros(&mut self, count: usize) -> &mut Answer {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `fuse_entry_out`: an inode and its attributes, to be asked for again each time.
    pub fn entry(&mut self, node: u64, statx: &Statx) -> &mut Answer {
        self.u64(node).zeros(32).attributes(statx)
    }

    /// `fuse_attr_out`.
    pub fn attributes_alone(&mut self, statx: &Statx) -> &mut Answer {
        self.zeros(16).attributes(statx)
    }

    /// `fuse_attr`.
    fn attributes(&mut self, statx: &Statx) -> &mut Answer {
        self.u64(statx.stx_ino).u64(statx.stx_size).u64(statx.stx_blocks);
        let times = [statx.stx_atime, statx.stx_mtime, statx.stx_ctime];
        for time in times {
            self.u64(time.tv_sec as u64);
        }
        for time in times {
            self.u32(time.tv_nsec);
        }
        self.u32(statx.stx_mode.into()).u32(statx.stx_nlink);
        self.u32(statx.stx_uid).u32(statx.stx_gid).u32(0);
        self.u32(statx.stx_blksize).u32(0)
    }

    /// `fuse_statx_out`.
    pub fn statx(&mut self, statx: &Statx) -> &mut Answer {
        self.zeros(32);
        self.u32(statx.stx_mask).u32(statx.stx_blksize).u64(0).u32(statx.stx_nlink);
        self.u32(statx.stx_uid).u32(statx.stx_gid).u32(statx.stx_mode.into());
        self.u64(statx.stx_ino).u64(statx.stx_size).u64(statx.stx_blocks).u64(0);
        for time in [statx.stx_atime, statx.stx_btime, statx.stx_ctime, statx.stx_mtime] {
            self.u64(time.tv_sec as u64).u32(time.tv_nsec).u32(0);
        }
        self.zeros(128)
    }

    /// `fuse_open_out`: data goes past the kernel's cache, so that every READ and WRITE comes here,
    /// and no FLUSH, which nobody needs.
    pub fn opened(&mut self, handle: u64) -> &mut Answer {
        const DIRECT_IO: u32 = 1;
        const NO_FLUSH: u32 = 1 << 5;
        const PARALLEL_DIRECT_WRITES: u32 = 1 << 6;
        self.u64(handle).u32(DIRECT_IO | NO_FLUSH | PARALLEL_DIRECT_WRITES).u32(0)
    }

    /// `fuse_open_out` of a directory.
    pub fn opened_directory(&mut self, handle: u64) -> &mut Answer {
        self.u64(handle).u64(0)
    }

    /// `fuse_init_out`.
    pub fn initialised(&mut self, minor: u32, max_readahead: u32) -> &mut Answer {
        const ASYNC_READ: u32 = 1;
        const BIG_WRITES: u32 = 1 << 5;
        const ASYNC_DIO: u32 = 1 << 15;
        const PARALLEL_DIROPS: u32 = 1 << 18;
        const MAX_PAGES: u32 = 1 << 22;
        const BACKGROUND: u32 = 64;
        const PAGES: u32 = DATA_MAX / 4096;
        self.u32(MAJOR).u32(minor.min(MINOR)).u32(max_readahead);
        self.u32(ASYNC_READ | BIG_WRITES | ASYNC_DIO | PARALLEL_DIROPS | MAX_PAGES);
        // Two halves: max_background, and where congestion begins.
        self.u32(BACKGROUND | BACKGROUND << 16).u32(DATA_MAX).u32(1);
        // Two halves: max_pages, and no alignment.
        self.u32(PAGES).zeros(32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_as_long_as_the_kernel_wants_them() {
        let here = rustix::fs::statx(
            rustix::fs::CWD,
            c"/",
            rustix::fs::AtFlags::empty(),
            rustix::fs::StatxFlags::BASIC_STATS,
        )
        .unwrap();
        assert_eq!(Answer::default().entry(1, &here).len(), 128);
        assert_eq!(Answer::default().attributes_alone(&here).len(), 104);
        assert_eq!(Answer::default().statx(&here).len(), 288);
        assert_eq!(Answer::default().opened(1).len(), 16);
        assert_eq!(Answer::default().opened_directory(1).len(), 16);
        assert_eq!(Answer::default().initialised(45, 0).len(), 64);
    }

    #[test]
    fn a_request_is_taken_apart() {
        let mut bytes = vec![0; IN_HEADER];
        bytes[4] = op::RENAME as u8;
        bytes[8] = 7;
        bytes[16] = 9;
        bytes.extend_from_slice(&5_u64.to_ne_bytes());
        bytes.extend_from_slice(b"old\0new\0");
        let request = Request::read(&bytes).unwrap();
        assert_eq!((request.opcode, request.unique, request.node), (op::RENAME, 7, 9));
        let mut body = request.body();
        assert_eq!(body.u64(), Ok(5));
        assert_eq!((body.name(), body.name()), (Ok(c"old"), Ok(c"new")));
        assert_eq!(body.name(), Err(Errno::INVAL));
        assert!(Request::read(&bytes[..39]).is_none());
        let refused = request.answer(&Err(Errno::IO));
        assert_eq!(
            refused,
            [16_u32.to_ne_bytes(), (-5_i32).to_ne_bytes(), [7, 0, 0, 0], [0; 4]].concat()
        );
    }
}
