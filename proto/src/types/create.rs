//! What a CREATE asks for and what it did ([MS-SMB2] 2.2.13, 2.2.14).

use super::flags::wire_flags;

/// CreateDisposition. Values that the specification does not name are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CreateDisposition(pub u32);

impl CreateDisposition {
    pub const SUPERSEDE: CreateDisposition = CreateDisposition(0);
    pub const OPEN: CreateDisposition = CreateDisposition(1);
    pub const CREATE: CreateDisposition = CreateDisposition(2);
    pub const OPEN_IF: CreateDisposition = CreateDisposition(3);
    pub const OVERWRITE: CreateDisposition = CreateDisposition(4);
    pub const OVERWRITE_IF: CreateDisposition = CreateDisposition(5);

    /// True if an existing file loses its content.
    pub fn overwrites(self) -> bool {
        matches!(self, Self::SUPERSEDE | Self::OVERWRITE | Self::OVERWRITE_IF)
    }

    /// True if a file is created where there is none.
    pub fn creates(self) -> bool {
        matches!(self, Self::SUPERSEDE | Self::CREATE | Self::OPEN_IF | Self::OVERWRITE_IF)
    }
}

wire_flags! {
    /// CreateOptions.
    CreateOptions: u32 {
        DIRECTORY_FILE = 0x0000_0001;
        WRITE_THROUGH = 0x0000_0002;
        SEQUENTIAL_ONLY = 0x0000_0004;
        NO_INTERMEDIATE_BUFFERING = 0x0000_0008;
        SYNCHRONOUS_IO_ALERT = 0x0000_0010;
        SYNCHRONOUS_IO_NONALERT = 0x0000_0020;
        NON_DIRECTORY_FILE = 0x0000_0040;
        COMPLETE_IF_OPLOCKED = 0x0000_0100;
        NO_EA_KNOWLEDGE = 0x0000_0200;
        RANDOM_ACCESS = 0x0000_0800;
        DELETE_ON_CLOSE = 0x0000_1000;
        OPEN_BY_FILE_ID = 0x0000_2000;
        OPEN_FOR_BACKUP_INTENT = 0x0000_4000;
        NO_COMPRESSION = 0x0000_8000;
        OPEN_REMOTE_INSTANCE = 0x0000_0400;
        OPEN_REQUIRING_OPLOCK = 0x0001_0000;
        DISALLOW_EXCLUSIVE = 0x0002_0000;
        RESERVE_OPFILTER = 0x0010_0000;
        OPEN_REPARSE_POINT = 0x0020_0000;
        OPEN_NO_RECALL = 0x0040_0000;
        OPEN_FOR_FREE_SPACE_QUERY = 0x0080_0000;
    }
}

/// CreateAction of the response.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u32)]
pub enum CreateAction {
    Superseded = 0,
    #[default]
    Opened = 1,
    Created = 2,
    Overwritten = 3,
}
