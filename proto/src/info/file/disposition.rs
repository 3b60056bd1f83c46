//! FileDispositionInformation and FileDispositionInformationEx ([MS-FSCC] 2.4.11, 2.4.12).

use crate::info::field::fixed_info;
use crate::types::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Writer};

fixed_info! {
    /// Whether the file goes with its last open.
    FileDispositionInformation {
        /// True to have it deleted, false to keep it after all.
        delete_pending: bool,
    }
}

wire_flags! {
    /// Flags of FileDispositionInformationEx.
    DispositionFlags: u32 {
        DELETE = 0x01;
        POSIX_SEMANTICS = 0x02;
        FORCE_IMAGE_SECTION_CHECK = 0x04;
        ON_CLOSE = 0x08;
        IGNORE_READONLY_ATTRIBUTE = 0x10;
    }
}

impl crate::info::field::Field for DispositionFlags {
    const SIZE: usize = 4;
    fn encode(self, w: &mut Writer) {
        w.u32(self.0);
    }
    fn decode(r: &mut Reader<'_>) -> Result<DispositionFlags, DecodeError> {
        r.u32().map(DispositionFlags)
    }
}

fixed_info! {
    /// The same, with more to say about it.
    FileDispositionInformationEx {
        /// What to do.
        flags: DispositionFlags,
    }
}
