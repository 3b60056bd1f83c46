//! Share modes ([MS-SMB2] 2.2.13, ShareAccess).

use super::flags::wire_flags;

wire_flags! {
    /// What an open lets others do meanwhile.
    ShareAccess: u32 {
        READ = 1;
        WRITE = 2;
        DELETE = 4;
    }
}
