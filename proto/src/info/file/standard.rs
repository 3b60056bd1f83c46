//! FileStandardInformation ([MS-FSCC] 2.4.47).

use crate::info::field::fixed_info;

fixed_info! {
    /// Sizes, links, and what kind of file it is.
    FileStandardInformation {
        /// Bytes set aside.
        allocation_size: u64,
        /// Bytes of data.
        end_of_file: u64,
        /// Names that the file has.
        number_of_links: u32,
        /// True once the file will go with its last open.
        delete_pending: bool,
        /// True for a directory.
        directory: bool; pad 2,
    }
}
