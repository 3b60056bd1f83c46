//! FileIdInformation ([MS-FSCC] 2.4.26).

use crate::info::field::fixed_info;

fixed_info! {
    /// The file's name for all that never changes: volume and 128-bit number.
    FileIdInformation {
        /// The volume's serial number, in full.
        volume_serial_number: u64,
        /// The file's number in its volume.
        file_id: [u8; 16],
    }
}
