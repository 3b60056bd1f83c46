//! FileFsSizeInformation ([MS-FSCC] 2.5.8).

use crate::info::field::fixed_info;

fixed_info! {
    /// Room on the volume, as far as the user may use it.
    FileFsSizeInformation {
        /// All units.
        total_allocation_units: u64,
        /// Free units.
        available_allocation_units: u64,
        /// Sectors of a unit.
        sectors_per_allocation_unit: u32,
        /// Bytes of a sector.
        bytes_per_sector: u32,
    }
}
