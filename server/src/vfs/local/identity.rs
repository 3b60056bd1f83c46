//! The 128-bit id of a file: never given out twice in a volume, kept through renames.
//!
//! Where the file system tells a birth time, the id is inode and birth time. Where it does not,
//! the inode is followed by 64 random bits that are kept with the file, bound to that inode so
//! that a copy of the file does not copy its identity.

use rustix::fs::{Statx, StatxFlags, XattrFlags};
use rustix::io::Errno;

use super::target::Target;

/// Where the ids of files without a birth time are kept: version, inode, random bits.
pub(super) const ID_ATTRIBUTE: &str = "user.holdfast.id";
const ID_VERSION: u8 = 1;

/// How files of a volume are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Identity {
    /// By inode and birth time.
    BirthTime,
    /// By inode and an id kept with the file.
    Kept,
}

impl Identity {
    /// The way that suits a volume whose root has this stat data.
    pub(super) fn of_volume(root: &Statx) -> Identity {
        if has_birth_time(root) { Identity::BirthTime } else { Identity::Kept }
    }

    /// The id of `target`, whose stat data is `statx`.
    pub(super) fn file_id(self, target: &Target<'_>, statx: &Statx) -> Result<u128, Errno> {
        let low = match self {
            Identity::BirthTime => {
                let at = statx.stx_btime;
                (at.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(u64::from(at.tv_nsec))
            }
            Identity::Kept if is_link(statx) => 0,
            Identity::Kept => kept_id(target, statx.stx_ino)?,
        };
        Ok(u128::from(statx.stx_ino) << 64 | u128::from(low))
    }
}

/// True when the file system tells when the file was born.
pub(super) fn has_birth_time(statx: &Statx) -> bool {
    statx.stx_mask & StatxFlags::BTIME.bits() != 0
}

/// Links cannot hold attributes of users; nothing is ever opened through one.
fn is_link(statx: &Statx) -> bool {
    rustix::fs::FileType::from_raw_mode(statx.stx_mode.into()).is_symlink()
}

/// The random half of the id, made by the first who asks. Two nodes may ask at once: the one whose
/// attribute was created first wins, and the other reads it.
fn kept_id(target: &Target<'_>, inode: u64) -> Result<u64, Errno> {
    let mut flags = XattrFlags::CREATE;
    loop {
        if let Some(kept) = target.attribute(ID_ATTRIBUTE)? {
            match decode(&kept) {
                Some((bound_to, id)) if bound_to == inode => return Ok(id),
                // A copy of another file, or bytes that are not ours: this file gets its own.
                _ => flags = XattrFlags::empty(),
            }
        }
        let fresh = getrandom::u64().map_err(|_| Errno::IO)?;
        match target.set_attribute(ID_ATTRIBUTE, &encode(inode, fresh), flags) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn encode(inode: u64, id: u64) -> Vec<u8> {
    let mut bytes = vec![ID_VERSION];
    bytes.extend_from_slice(&inode.to_le_bytes());
    bytes.extend_from_slice(&id.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(u64, u64)> {
    let (version, rest) = bytes.split_first()?;
    let (inode, id) = rest.split_at_checked(8)?;
    let word = |part: &[u8]| part.try_into().ok().map(u64::from_le_bytes);
    (*version == ID_VERSION).then_some(())?;
    Some((word(inode)?, word(id)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_id_stays_with_its_file_and_is_not_copied() {
        use std::os::fd::AsFd;
        let scratch = crate::vfs::local::tests::Scratch::new();
        let file = std::fs::File::create(scratch.path().join("a")).unwrap();
        let target = Target::Open(file.as_fd());
        let id =
            |target: &Target<'_>| Identity::Kept.file_id(target, &target.statx().unwrap()).unwrap();
        let first = id(&target);
        assert_eq!(id(&target), first);
        assert_ne!(first as u64, 0);
        let root = std::fs::File::open(scratch.path()).unwrap();
        assert_eq!(id(&Target::Child(root.as_fd(), "a")), first);
        let copy = std::fs::File::create(scratch.path().join("copy")).unwrap();
        let copied = Target::Open(copy.as_fd());
        let value = target.attribute(ID_ATTRIBUTE).unwrap().unwrap();
        copied.set_attribute(ID_ATTRIBUTE, &value, XattrFlags::empty()).unwrap();
        let other = id(&copied);
        assert_ne!(other as u64, first as u64);
        assert_eq!(id(&copied), other);
    }

    #[test]
    fn kept_ids_round_trip_and_refuse_foreign_bytes() {
        assert_eq!(decode(&encode(7, u64::MAX)), Some((7, u64::MAX)));
        assert_eq!(decode(b""), None);
        assert_eq!(decode(&[1; 16]), None);
        assert_eq!(decode(&[1; 18]), None);
        assert_eq!(decode(&[2; 17]), None);
    }
}
