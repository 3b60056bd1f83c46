//! FilePositionInformation ([MS-FSCC] 2.4.40).

use crate::info::field::fixed_info;

fixed_info! {
    /// The open's own file pointer, which no request of the protocol moves.
    FilePositionInformation {
        /// The offset.
        current_byte_offset: i64,
    }
}
