//! FileBasicInformation ([MS-FSCC] 2.4.7).

use crate::info::field::fixed_info;
use crate::types::{FileAttributes, FileTime};

fixed_info! {
    /// Times and attributes. When set, a time of 0 stays as it is, one of -1 is no longer
    /// changed by this open's own operations, and -2 takes that back; attributes of 0 stay.
    FileBasicInformation {
        /// When the file was made.
        creation_time: FileTime,
        /// When it was last read.
        last_access_time: FileTime,
        /// When its data last changed.
        last_write_time: FileTime,
        /// When anything about it last changed.
        change_time: FileTime,
        /// Its attributes.
        attributes: FileAttributes; pad 4,
    }
}
