//! What is kept with a file beside its data: attributes, times, the security descriptor, the
//! extended attributes of clients.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileTime};
use rustix::fs::{FallocateFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::dos_attributes::DOS_ATTRIBUTE;
use super::errno::on;
use super::sync_group::sync_failed;
use super::target::Target;
use super::volume::{Volume, dos_attributes, retry};
use crate::vfs::name_rules::{check_attribute_name, is_own_attribute};
use crate::vfs::{FileKind, KEPT_ATTRIBUTES, NewNode, Overwrite, SetTimes, VfsError, VfsResult};

/// Where the security descriptor is kept, self-relative.
const SECURITY_ATTRIBUTE: &str = "user.holdfast.sd";
/// What Linux puts before the names of clients' attributes.
const CLIENT_PREFIX: &str = "user.";

impl Volume {
    /// Gives a new object everything it is to have.
    pub(super) fn furnish(&self, fd: &OwnedFd, new: &NewNode) -> VfsResult<()> {
        let target = Target::Open(fd.as_fd());
        self.keep_dos(fd.as_fd(), Some(new.attributes), new.creation)?;
        if let Some(descriptor) = &new.security {
            keep_security(&target, descriptor)?;
        }
        for (name, value) in &new.attributes_extended {
            set_extended(&target, name, value)?;
        }
        if new.kind == FileKind::File && new.allocation > 0 {
            reserve(fd.as_fd(), new.allocation)?;
        }
        if new.stable {
            rustix::fs::fsync(fd).map_err(sync_failed)?;
        }
        Ok(())
    }

    /// Keeps attributes, creation time or both; what is not given stays.
    pub(super) fn keep_dos(
        &self,
        fd: BorrowedFd<'_>,
        attributes: Option<FileAttributes>,
        creation: Option<FileTime>,
    ) -> VfsResult<()> {
        let target = Target::Open(fd);
        let _both = self.dos_attributes.lock();
        let mut kept = dos_attributes(&target)?;
        if let Some(attributes) = attributes {
            kept.attributes = Some(attributes.intersection(KEPT_ATTRIBUTES));
        }
        if creation.is_some() {
            kept.creation = creation;
        }
        if kept.creation.is_none() {
            // From here on the file system's own birth time must not show through: an overwrite
            // on a system without one would change it.
            kept.creation = self.stat(&target)?.map(|stat| stat.times.creation);
        }
        target
            .set_attribute(DOS_ATTRIBUTE, &kept.encode(), XattrFlags::empty())
            .map_err(too_much("keep attributes"))
    }

    /// Empties a file and gives it new attributes.
    pub(super) fn overwrite(&self, fd: BorrowedFd<'_>, what: &Overwrite) -> VfsResult<()> {
        let target = Target::Open(fd);
        for (name, _) in &what.attributes_extended {
            check_attribute_name(name)?;
        }
        retry(|| rustix::fs::ftruncate(fd, 0)).map_err(on("truncate"))?;
        for (name, _) in extended(&target)? {
            let full = format!("{CLIENT_PREFIX}{name}");
            target.remove_attribute(&full).map_err(on("remove an attribute"))?;
        }
        let creation = what.supersede.is_some().then(now);
        self.keep_dos(fd, Some(what.attributes), creation)?;
        if let Some(supersede) = &what.supersede {
            match &supersede.security {
                Some(descriptor) => keep_security(&target, descriptor)?,
                None => target
                    .remove_attribute(SECURITY_ATTRIBUTE)
                    .map_err(on("remove a security descriptor"))?,
            }
        }
        for (name, value) in &what.attributes_extended {
            set_extended(&target, name, value)?;
        }
        if what.allocation > 0 {
            reserve(fd, what.allocation)?;
        }
        // An empty file that is emptied again keeps its time of last write otherwise.
        let unchanged = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
        let write = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = Timestamps { last_access: unchanged, last_modification: write };
        rustix::fs::futimens(fd, &times).map_err(on("set times"))
    }

    /// Sets times; the creation time is kept beside the attributes.
    pub(super) fn set_times(&self, fd: BorrowedFd<'_>, times: SetTimes) -> VfsResult<()> {
        if times.creation.is_some() {
            self.keep_dos(fd, None, times.creation)?;
        }
        if times.access.is_some() || times.write.is_some() {
            let both = Timestamps {
                last_access: timespec(times.access),
                last_modification: timespec(times.write),
            };
            rustix::fs::futimens(fd, &both).map_err(on("set times"))?;
        }
        Ok(())
    }
}

/// Sets room aside without changing the size. A file system that cannot do so is no refusal: it
/// gives room as data comes.
pub(super) fn reserve(fd: BorrowedFd<'_>, size: u64) -> VfsResult<()> {
    if i64::try_from(size).is_err() {
        return Err(VfsError::TooLarge);
    }
    match retry(|| rustix::fs::fallocate(fd, FallocateFlags::KEEP_SIZE, 0, size)) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(on("set room aside")(errno)),
    }
}

/// The security descriptor.
pub(super) fn security(target: &Target<'_>) -> VfsResult<Option<Bytes>> {
    let kept = target.attribute(SECURITY_ATTRIBUTE).map_err(on("read a security descriptor"))?;
    Ok(kept.map(Bytes::from))
}

/// Replaces the security descriptor.
pub(super) fn keep_security(target: &Target<'_>, descriptor: &Bytes) -> VfsResult<()> {
    target
        .set_attribute(SECURITY_ATTRIBUTE, descriptor, XattrFlags::empty())
        .map_err(too_much("keep a security descriptor"))
}

/// The extended attributes of clients, in order of name.
pub(super) fn extended(target: &Target<'_>) -> VfsResult<Vec<(String, Bytes)>> {
    let mut found = Vec::new();
    for full in target.attribute_names().map_err(on("list attributes"))? {
        let Some(name) = full.strip_prefix(CLIENT_PREFIX) else { continue };
        if check_attribute_name(name).is_err() {
            continue;
        }
        if let Some(value) = target.attribute(&full).map_err(on("read an attribute"))? {
            found.push((name.to_owned(), Bytes::from(value)));
        }
    }
    Ok(found)
}

/// One of them, found without case.
pub(super) fn one_extended(target: &Target<'_>, name: &str) -> VfsResult<Bytes> {
    check_attribute_name(name)?;
    let full = spelling(target, name)?.ok_or(VfsError::NoSuchAttribute)?;
    let value = target.attribute(&full).map_err(on("read an attribute"))?;
    value.map(Bytes::from).ok_or(VfsError::NoSuchAttribute)
}

/// Sets one of them under the spelling it has, or removes it.
pub(super) fn set_extended(target: &Target<'_>, name: &str, value: &[u8]) -> VfsResult<()> {
    check_attribute_name(name)?;
    let kept = spelling(target, name)?;
    if value.is_empty() {
        return match kept {
            Some(full) => target.remove_attribute(&full).map_err(on("remove an attribute")),
            None => Ok(()),
        };
    }
    let full = kept.unwrap_or_else(|| format!("{CLIENT_PREFIX}{name}"));
    target.set_attribute(&full, value, XattrFlags::empty()).map_err(too_much("set an attribute"))
}

/// The full name under which a client's attribute is kept.
fn spelling(target: &Target<'_>, name: &str) -> VfsResult<Option<String>> {
    let names = target.attribute_names().map_err(on("list attributes"))?;
    Ok(names.into_iter().find(|full| {
        let kept = full.strip_prefix(CLIENT_PREFIX);
        kept.is_some_and(|kept| kept.eq_ignore_ascii_case(name) && !is_own_attribute(kept))
    }))
}

/// File systems report an attribute that does not fit as several different things.
fn too_much(operation: &'static str) -> impl Fn(Errno) -> VfsError {
    move |errno| match errno {
        Errno::TOOBIG | Errno::RANGE | Errno::NOSPC => VfsError::TooLarge,
        other => on(operation)(other),
    }
}

fn timespec(time: Option<FileTime>) -> Timespec {
    match time {
        None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        Some(time) => {
            let (seconds, nanos) = time.to_unix();
            Timespec { tv_sec: seconds, tv_nsec: nanos.into() }
        }
    }
}

/// The time of the machine: what its file systems stamp too.
fn now() -> FileTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    FileTime::from_unix(now.tv_sec, now.tv_nsec as u32)
}
