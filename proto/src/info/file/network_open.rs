//! FileNetworkOpenInformation ([MS-FSCC] 2.4.34): also what CLOSE reports.

use crate::info::field::fixed_info;
use crate::types::{FileAttributes, FileTime};

fixed_info! {
    /// All that a client caches about a file.
    FileNetworkOpenInformation {
        /// When the file was made.
        creation_time: FileTime,
        /// When it was last read.
        last_access_time: FileTime,
        /// When its data last changed.
        last_write_time: FileTime,
        /// When anything about it last changed.
        change_time: FileTime,
        /// Bytes set aside.
        allocation_size: u64,
        /// Bytes of data.
        end_of_file: u64,
        /// Its attributes.
        attributes: FileAttributes; pad 4,
    }
}
