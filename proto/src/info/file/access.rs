//! FileAccessInformation ([MS-FSCC] 2.4.1).

use crate::info::field::fixed_info;
use crate::types::AccessMask;

fixed_info! {
    /// What the open was granted.
    FileAccessInformation {
        /// The granted rights.
        access: AccessMask,
    }
}
