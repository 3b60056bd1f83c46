//! FileEndOfFileInformation ([MS-FSCC] 2.4.14).

use crate::info::field::fixed_info;

fixed_info! {
    /// A new size of the data.
    FileEndOfFileInformation {
        /// Bytes. Negative is invalid.
        end_of_file: i64,
    }
}
