//! FileAllocationInformation ([MS-FSCC] 2.4.4).

use crate::info::field::fixed_info;

fixed_info! {
    /// Room to set aside; less than the data cuts the data.
    FileAllocationInformation {
        /// Bytes. Negative is invalid.
        allocation_size: i64,
    }
}
