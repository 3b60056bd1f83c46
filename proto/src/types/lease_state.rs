//! Lease states ([MS-SMB2] 2.2.13.2.8).

use super::flags::wire_flags;

wire_flags! {
    /// What a lease lets its client cache.
    LeaseState: u32 {
        READ = 1;
        HANDLE = 2;
        WRITE = 4;
    }
}

impl LeaseState {
    /// Read and handle caching.
    pub const RH: LeaseState = LeaseState(3);
    /// Read and write caching.
    pub const RW: LeaseState = LeaseState(5);
    /// Everything.
    pub const RWH: LeaseState = LeaseState(7);
}
