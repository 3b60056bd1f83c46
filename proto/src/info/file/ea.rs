//! FileEaInformation ([MS-FSCC] 2.4.13).

use crate::info::field::fixed_info;

fixed_info! {
    /// How much room the extended attributes take.
    FileEaInformation {
        /// Bytes of them all, as FileFullEaInformation would list them.
        ea_size: u32,
    }
}
