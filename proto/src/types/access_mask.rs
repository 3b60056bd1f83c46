//! Access masks of files and directories ([MS-SMB2] 2.2.13.1).

use super::flags::wire_flags;

wire_flags! {
    /// What an open may do, or asks to do.
    AccessMask: u32 {
        READ_DATA = 0x0000_0001;
        WRITE_DATA = 0x0000_0002;
        APPEND_DATA = 0x0000_0004;
        READ_EA = 0x0000_0008;
        WRITE_EA = 0x0000_0010;
        EXECUTE = 0x0000_0020;
        DELETE_CHILD = 0x0000_0040;
        READ_ATTRIBUTES = 0x0000_0080;
        WRITE_ATTRIBUTES = 0x0000_0100;
        DELETE = 0x0001_0000;
        READ_CONTROL = 0x0002_0000;
        WRITE_DAC = 0x0004_0000;
        WRITE_OWNER = 0x0008_0000;
        SYNCHRONIZE = 0x0010_0000;
        ACCESS_SYSTEM_SECURITY = 0x0100_0000;
        MAXIMUM_ALLOWED = 0x0200_0000;
        GENERIC_ALL = 0x1000_0000;
        GENERIC_EXECUTE = 0x2000_0000;
        GENERIC_WRITE = 0x4000_0000;
        GENERIC_READ = 0x8000_0000;
    }
}

impl AccessMask {
    /// Every specific and standard right of a file.
    pub const FILE_ALL: AccessMask = AccessMask(0x001F_01FF);
    /// What GENERIC_READ stands for on a file.
    pub const FILE_GENERIC_READ: AccessMask = AccessMask(0x0012_0089);
    /// What GENERIC_WRITE stands for on a file.
    pub const FILE_GENERIC_WRITE: AccessMask = AccessMask(0x0012_0116);
    /// What GENERIC_EXECUTE stands for on a file.
    pub const FILE_GENERIC_EXECUTE: AccessMask = AccessMask(0x0012_00A0);

    /// The mask with its generic bits replaced by what they stand for.
    pub const fn map_generic(self) -> AccessMask {
        let mut bits = self.0 & 0x0FFF_FFFF;
        if self.0 & Self::GENERIC_ALL.0 != 0 {
            bits |= Self::FILE_ALL.0;
        }
        if self.0 & Self::GENERIC_EXECUTE.0 != 0 {
            bits |= Self::FILE_GENERIC_EXECUTE.0;
        }
        if self.0 & Self::GENERIC_WRITE.0 != 0 {
            bits |= Self::FILE_GENERIC_WRITE.0;
        }
        if self.0 & Self::GENERIC_READ.0 != 0 {
            bits |= Self::FILE_GENERIC_READ.0;
        }
        AccessMask(bits)
    }
}
