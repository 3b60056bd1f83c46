//! FileAttributeTagInformation ([MS-FSCC] 2.4.6).

use crate::info::field::fixed_info;
use crate::types::FileAttributes;

fixed_info! {
    /// Attributes, and what kind of reparse point it is.
    FileAttributeTagInformation {
        /// Its attributes.
        attributes: FileAttributes,
        /// The tag, 0 if it is no reparse point.
        reparse_tag: u32,
    }
}
