//! FileModeInformation ([MS-FSCC] 2.4.31).

use crate::info::field::fixed_info;

fixed_info! {
    /// How the open's operations behave: bits of CreateOptions.
    FileModeInformation {
        /// FILE_WRITE_THROUGH, FILE_SEQUENTIAL_ONLY, FILE_SYNCHRONOUS_IO_* and
        /// FILE_DELETE_ON_CLOSE, by their values in CreateOptions.
        mode: u32,
    }
}
