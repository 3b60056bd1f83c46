//! Objects that are complete before they have a name, and the marks that tell who made them.
//!
//! A staged object is called after its intent, so that an intent has at most one, and whoever
//! finishes the intent finds it. A mark is bound to the object that carries it: one that came with
//! a copy of the file is none.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, XattrFlags};
use rustix::io::Errno;

use super::errno::on;
use super::naming::{make, move_without_replacing, take_away};
use super::target::Target;
use super::volume::{Volume, kind_of};
use super::walk::each_name;
use crate::vfs::{
    DirRef, FileKind, IntentMark, Marked, NewNode, Place, Staged, VfsError, VfsResult,
};
use holdfast_proto::types::FileKey;

/// Where a mark is kept: version, the intent, the id of the file.
const MARK_ATTRIBUTE: &str = "user.holdfast.intent";
const MARK_VERSION: u8 = 1;
const MARK_LEN: usize = 33;

impl Volume {
    /// Makes a complete, marked object in the staging folder.
    pub(super) fn stage(&self, mark: IntentMark, new: &NewNode) -> VfsResult<Staged> {
        let name = staged_name(mark);
        let fd = match make(self.staging(), &name, new.kind) {
            Err(VfsError::AlreadyExists) => {
                self.discard_staged(mark)?;
                make(self.staging(), &name, new.kind)?
            }
            other => other?,
        };
        let complete = || {
            let key = self.key_of_open(fd.as_fd())?;
            Target::Open(fd.as_fd())
                .set_attribute(MARK_ATTRIBUTE, &encode(mark, key), XattrFlags::empty())
                .map_err(on("mark a new file"))?;
            self.furnish(&fd, new)?;
            Ok(Staged { mark, key, kind: new.kind })
        };
        let staged = complete();
        if staged.is_err() {
            take_away(self.staging(), &name, new.kind);
        }
        staged
    }

    /// Gives a staged object its name.
    pub(super) fn put_in_place(
        &self,
        staged: &Staged,
        dir: &DirRef,
        name: &str,
    ) -> VfsResult<FileKey> {
        self.check_new_name(dir, name)?;
        let parent = self.open_dir(dir)?;
        let old = staged_name(staged.mark);
        match self.denoted(self.staging(), &old)? {
            Some((key, _)) if key == staged.key => {}
            Some((found, _)) => {
                return Err(VfsError::Replaced { expected: staged.key, found: Some(found) });
            }
            None => return Err(VfsError::NotFound),
        }
        let is_dir = staged.kind == FileKind::Directory;
        move_without_replacing(self.staging(), &old, parent.as_fd(), name, is_dir)
            .map_err(on("put a new file in place"))?;
        Ok(staged.key)
    }

    /// The mark of what a name denotes.
    pub(super) fn find_mark(&self, dir: &DirRef, name: &str) -> VfsResult<Option<Marked>> {
        let parent = self.open_dir(dir)?;
        if self.is_hidden(dir.key, name) {
            return Ok(None);
        }
        let Some((key, kind)) = self.denoted(parent.as_fd(), name)? else { return Ok(None) };
        let Some(kind @ (FileKind::File | FileKind::Directory)) = kind else { return Ok(None) };
        let mark = self.mark_of(&Target::Child(parent.as_fd(), name), key)?;
        Ok(mark.map(|mark| Marked { mark, key, kind }))
    }

    /// The mark of the object at a place.
    pub(super) fn find_mark_by_key(&self, place: &Place) -> VfsResult<Option<IntentMark>> {
        let (handle, statx) = self.open_handle(place)?;
        match kind_of(&statx) {
            Some(FileKind::File | FileKind::Directory) => {}
            _ => return Ok(None),
        }
        self.mark_of(&Target::Handle(handle.as_fd()), place.key)
    }

    /// Removes a mark, if it is this one.
    pub(super) fn clear_mark(&self, place: &Place, mark: IntentMark) -> VfsResult<()> {
        let (handle, _) = self.open_handle(place)?;
        let target = Target::Handle(handle.as_fd());
        if self.mark_of(&target, place.key)? == Some(mark) {
            target.remove_attribute(MARK_ATTRIBUTE).map_err(on("clear a mark"))?;
        }
        Ok(())
    }

    /// Removes what an intent has staged.
    pub(super) fn discard_staged(&self, mark: IntentMark) -> VfsResult<()> {
        let name = staged_name(mark);
        let gone = match rustix::fs::unlinkat(self.staging(), name.as_str(), AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => {
                rustix::fs::unlinkat(self.staging(), name.as_str(), AtFlags::REMOVEDIR)
            }
            other => other,
        };
        match gone {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(on("discard a staged file")(errno)),
        }
    }

    /// The intents that have something staged.
    pub(super) fn staged_marks(&self, limit: usize) -> VfsResult<Vec<IntentMark>> {
        let mut marks = std::collections::BTreeSet::new();
        each_name(self.staging(), |name| {
            let mark = (name.len() == 32).then(|| u128::from_str_radix(name, 16).ok());
            if let Some(mark) = mark.flatten() {
                marks.insert(IntentMark(mark));
                if marks.len() > limit {
                    marks.pop_last();
                }
            }
        })?;
        Ok(marks.into_iter().collect())
    }

    fn mark_of(&self, target: &Target<'_>, key: FileKey) -> VfsResult<Option<IntentMark>> {
        let value = target.attribute(MARK_ATTRIBUTE).map_err(on("read a mark"))?;
        Ok(value
            .and_then(|bytes| decode(&bytes))
            .filter(|(_, file)| *file == key.file)
            .map(|m| m.0))
    }
}

fn staged_name(mark: IntentMark) -> String {
    format!("{:032x}", mark.0)
}

fn encode(mark: IntentMark, key: FileKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MARK_LEN);
    bytes.push(MARK_VERSION);
    bytes.extend_from_slice(&mark.0.to_le_bytes());
    bytes.extend_from_slice(&key.file.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(IntentMark, u128)> {
    let bytes: &[u8; MARK_LEN] = bytes.try_into().ok()?;
    let half = |at: usize| bytes[at..at + 16].try_into().ok().map(u128::from_le_bytes);
    (bytes[0] == MARK_VERSION).then_some(())?;
    Some((IntentMark(half(1)?), half(17)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_proto::types::VolumeId;

    #[test]
    fn marks_round_trip_and_refuse_foreign_bytes() {
        let key = FileKey { volume: VolumeId(3), file: 9 };
        assert_eq!(decode(&encode(IntentMark(7), key)), Some((IntentMark(7), 9)));
        assert_eq!(decode(&[1; 32]), None);
        assert_eq!(decode(&[1; 34]), None);
        assert_eq!(decode(&[2; 33]), None);
        assert_eq!(decode(b""), None);
    }
}
