//! FileAlignmentInformation ([MS-FSCC] 2.4.3).

use crate::info::field::fixed_info;

fixed_info! {
    /// What the device asks of buffers.
    FileAlignmentInformation {
        /// One less than the alignment: 0 for bytes.
        alignment_requirement: u32,
    }
}
