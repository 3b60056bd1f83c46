//! FileInternalInformation ([MS-FSCC] 2.4.27).

use crate::info::field::fixed_info;

fixed_info! {
    /// The file's number in its volume.
    FileInternalInformation {
        /// Never the same for two files at a time.
        index_number: u64,
    }
}
