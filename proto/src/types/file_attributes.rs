//! File attributes ([MS-FSCC] 2.6).

use super::flags::wire_flags;

wire_flags! {
    /// Attributes of a file or directory.
    FileAttributes: u32 {
        READONLY = 0x0001;
        HIDDEN = 0x0002;
        SYSTEM = 0x0004;
        DIRECTORY = 0x0010;
        ARCHIVE = 0x0020;
        NORMAL = 0x0080;
        TEMPORARY = 0x0100;
        SPARSE_FILE = 0x0200;
        REPARSE_POINT = 0x0400;
        COMPRESSED = 0x0800;
        OFFLINE = 0x1000;
        NOT_CONTENT_INDEXED = 0x2000;
        ENCRYPTED = 0x4000;
    }
}
