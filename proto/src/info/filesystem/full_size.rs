//! FileFsFullSizeInformation ([MS-FSCC] 2.5.4).

use crate::info::field::fixed_info;

fixed_info! {
    /// Room on the volume, for the user and altogether.
    FileFsFullSizeInformation {
        /// All units.
        total_allocation_units: u64,
        /// Units that the user may still use.
        caller_available_allocation_units: u64,
        /// Free units.
        actual_available_allocation_units: u64,
        /// Sectors of a unit.
        sectors_per_allocation_unit: u32,
        /// Bytes of a sector.
        bytes_per_sector: u32,
    }
}
