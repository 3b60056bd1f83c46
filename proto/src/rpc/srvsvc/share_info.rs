//! SHARE_INFO of several levels ([MS-SRVS] 2.2.4.22 to 2.2.4.29), as parts of one record.

use crate::rpc::ndr::NdrWriter;
use crate::types::flags::wire_flags;

wire_flags! {
    /// Share types ([MS-SRVS] 2.2.2.4).
    ShareType: u32 {
        PRINTQ = 0x0000_0001;
        DEVICE = 0x0000_0002;
        IPC = 0x0000_0003;
        CLUSTER_FS = 0x0200_0000;
        CLUSTER_SOFS = 0x0400_0000;
        CLUSTER_DFS = 0x0800_0000;
        TEMPORARY = 0x4000_0000;
        SPECIAL = 0x8000_0000;
    }
}

impl ShareType {
    /// A share of files: no bit at all.
    pub const DISKTREE: ShareType = ShareType::NONE;
}

wire_flags! {
    /// shi1005_flags ([MS-SRVS] 2.2.4.29).
    Share1005Flags: u32 {
        DFS = 0x0000_0001;
        DFS_ROOT = 0x0000_0002;
        CSC_MASK_EXT = 0x0000_0030;
        RESTRICT_EXCLUSIVE_OPENS = 0x0000_0100;
        FORCE_SHARED_DELETE = 0x0000_0200;
        ALLOW_NAMESPACE_CACHING = 0x0000_0400;
        ACCESS_BASED_DIRECTORY_ENUM = 0x0000_0800;
        FORCE_LEVELII_OPLOCK = 0x0000_1000;
        ENABLE_HASH = 0x0000_2000;
        ENABLE_CA = 0x0000_4000;
        ENCRYPT_DATA = 0x0000_8000;
        COMPRESS_DATA = 0x0010_0000;
    }
}

/// All that the levels tell about a share.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShareInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub share_type: ShareType,
    /// What people are told about it.
    pub remark: String,
    /// How many may use it; [`u32::MAX`] for any number.
    pub max_uses: u32,
    /// How many do.
    pub current_uses: u32,
    /// Where it lies on the server, in a form that says nothing to outsiders.
    pub path: String,
    /// What it is like.
    pub flags: Share1005Flags,
}

/// The levels of information about a share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ShareLevel {
    Name,
    Remark,
    Uses,
    Flags501,
    Flags1005,
}

impl ShareLevel {
    pub(super) fn from_wire(level: u32) -> Option<ShareLevel> {
        match level {
            0 => Some(ShareLevel::Name),
            1 => Some(ShareLevel::Remark),
            2 => Some(ShareLevel::Uses),
            501 => Some(ShareLevel::Flags501),
            1005 => Some(ShareLevel::Flags1005),
            _ => None,
        }
    }

    /// The structure without what its pointers point to.
    pub(super) fn encode_fixed(self, share: &ShareInfo, w: &mut NdrWriter) {
        if self == ShareLevel::Flags1005 {
            w.u32(share.flags.0);
            return;
        }
        w.pointer(true);
        if self == ShareLevel::Name {
            return;
        }
        w.u32(share.share_type.0);
        w.pointer(true);
        match self {
            ShareLevel::Uses => {
                // Permissions, which only share-level security ever had.
                w.u32(0);
                w.u32(share.max_uses);
                w.u32(share.current_uses);
                w.pointer(true);
                w.pointer(false);
            }
            ShareLevel::Flags501 => w.u32(share.flags.0 & Share1005Flags::CSC_MASK_EXT.0),
            ShareLevel::Name | ShareLevel::Remark | ShareLevel::Flags1005 => {}
        }
    }

    /// What the pointers point to, in their order.
    pub(super) fn encode_deferred(self, share: &ShareInfo, w: &mut NdrWriter) {
        match self {
            ShareLevel::Flags1005 => {}
            ShareLevel::Name => w.string(&share.name),
            ShareLevel::Remark | ShareLevel::Flags501 => {
                w.string(&share.name);
                w.string(&share.remark);
            }
            ShareLevel::Uses => {
                w.string(&share.name);
                w.string(&share.remark);
                w.string(&share.path);
            }
        }
    }
}
