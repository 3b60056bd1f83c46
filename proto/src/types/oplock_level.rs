//! Oplock levels ([MS-SMB2] 2.2.13, RequestedOplockLevel).

use crate::wire::open_enum;

open_enum! {
    /// What an open asks to cache, or may cache.
    OplockLevel: u8 {
        NONE = 0x00;
        LEVEL_II = 0x01;
        EXCLUSIVE = 0x08;
        BATCH = 0x09;
        LEASE = 0xFF;
    }
}
