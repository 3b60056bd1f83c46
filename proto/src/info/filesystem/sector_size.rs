//! FileFsSectorSizeInformation ([MS-FSCC] 2.5.7).

use crate::info::field::fixed_info;

/// SSINFO_FLAGS_ALIGNED_DEVICE.
pub const ALIGNED_DEVICE: u32 = 0x01;
/// SSINFO_FLAGS_PARTITION_ALIGNED_ON_DEVICE.
pub const PARTITION_ALIGNED_ON_DEVICE: u32 = 0x02;

fixed_info! {
    /// Sizes that unbuffered writers align to.
    FileFsSectorSizeInformation {
        /// Bytes of a sector as it is addressed.
        logical_bytes_per_sector: u32,
        /// Bytes that are written as one or not at all.
        physical_bytes_per_sector_for_atomicity: u32,
        /// Bytes that are best written at once.
        physical_bytes_per_sector_for_performance: u32,
        /// The second as the file system sees it.
        effective_physical_bytes_per_sector_for_atomicity: u32,
        /// [`ALIGNED_DEVICE`] and [`PARTITION_ALIGNED_ON_DEVICE`].
        flags: u32,
        /// Where the first sector begins.
        byte_offset_for_sector_alignment: u32,
        /// Where the partition begins.
        byte_offset_for_partition_alignment: u32,
    }
}
