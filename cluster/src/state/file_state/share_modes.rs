//! Share modes ([MS-FSA] 2.1.5.1.2.2): each open allows, and is allowed by, each other one.

use holdfast_proto::types::{AccessMask, ShareAccess};

/// Access that touches neither data nor name: such an open breaks no lease ([MS-SMB2] 3.3.1.4).
pub fn is_stat_only(access: AccessMask) -> bool {
    access
        .without(AccessMask::READ_ATTRIBUTES)
        .without(AccessMask::WRITE_ATTRIBUTES)
        .without(AccessMask::SYNCHRONIZE)
        .is_empty()
}

/// What must be shared by others for this access.
fn needs(access: AccessMask) -> ShareAccess {
    let mut needs = ShareAccess::NONE;
    if access.intersects(AccessMask::READ_DATA | AccessMask::EXECUTE) {
        needs |= ShareAccess::READ;
    }
    if access.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA) {
        needs |= ShareAccess::WRITE;
    }
    if access.contains(AccessMask::DELETE) {
        needs |= ShareAccess::DELETE;
    }
    needs
}

/// An access and what its open lets others do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShareMode {
    pub access: AccessMask,
    pub share: ShareAccess,
}

impl ShareMode {
    /// What an open that is about to happen counts as. To overwrite is to write ([MS-FSA]
    /// 2.1.5.1.2), whatever the open may do afterwards.
    pub fn of_contender(access: AccessMask, share: ShareAccess, overwrites: bool) -> ShareMode {
        let added = if overwrites { AccessMask::WRITE_DATA } else { AccessMask::NONE };
        ShareMode { access: access | added, share }
    }

    /// True if the two cannot be open together. An open that neither reads, writes nor deletes
    /// takes no part in it.
    pub fn conflicts(self, other: ShareMode) -> bool {
        let (mine, theirs) = (needs(self.access), needs(other.access));
        if mine.is_empty() || theirs.is_empty() {
            return false;
        }
        !other.share.contains(mine) || !self.share.contains(theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: ShareMode = ShareMode { access: AccessMask::READ_DATA, share: ShareAccess::READ };

    #[test]
    fn a_writer_needs_every_other_to_share_write() {
        let writer = ShareMode { access: AccessMask::WRITE_DATA, share: ShareAccess(7) };
        assert!(READER.conflicts(writer));
        assert!(writer.conflicts(READER));
        let lenient = ShareMode { share: ShareAccess(7), ..READER };
        assert!(!lenient.conflicts(writer));
    }

    #[test]
    fn opens_that_only_look_take_no_part() {
        let stat = ShareMode { access: AccessMask::READ_ATTRIBUTES, share: ShareAccess::NONE };
        let alone = ShareMode { access: AccessMask::FILE_ALL, share: ShareAccess::NONE };
        assert!(!stat.conflicts(alone));
        assert!(is_stat_only(stat.access));
        assert!(!is_stat_only(READER.access));
    }
}
