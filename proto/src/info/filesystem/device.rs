//! FileFsDeviceInformation ([MS-FSCC] 2.5.10).

use crate::info::field::fixed_info;

/// FILE_DEVICE_DISK.
pub const DEVICE_DISK: u32 = 7;
/// FILE_DEVICE_NAMED_PIPE.
pub const DEVICE_NAMED_PIPE: u32 = 0x11;
/// FILE_DEVICE_IS_MOUNTED.
pub const DEVICE_IS_MOUNTED: u32 = 0x20;
/// FILE_READ_ONLY_DEVICE.
pub const READ_ONLY_DEVICE: u32 = 0x02;

fixed_info! {
    /// What the volume lies on.
    FileFsDeviceInformation {
        /// Such as [`DEVICE_DISK`].
        device_type: u32,
        /// Such as [`DEVICE_IS_MOUNTED`].
        characteristics: u32,
    }
}
