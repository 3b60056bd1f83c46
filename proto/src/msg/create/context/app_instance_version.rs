//! The version of the application instance that opens ([MS-SMB2] 2.2.13.2.15).

use super::{CreateContext, exact};
use crate::wire::{DecodeError, Reader, Writer};

const STRUCTURE_SIZE: u16 = 24;

/// Only a greater version closes the opens of an older one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct AppInstanceVersion {
    pub high: u64,
    pub low: u64,
}

impl CreateContext for AppInstanceVersion {
    const NAME: &'static [u8] = &[
        0xB9, 0x82, 0xD0, 0xB7, 0x3B, 0x56, 0x07, 0x4F, 0xA0, 0x7B, 0x52, 0x4A, 0x81, 0x16, 0xA0,
        0x10,
    ];

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, usize::from(STRUCTURE_SIZE))?;
        r.structure_size(STRUCTURE_SIZE)?;
        r.skip(6)?;
        Ok(AppInstanceVersion { high: r.u64()?, low: r.u64()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(STRUCTURE_SIZE);
        w.u16(0);
        w.u32(0);
        w.u64(self.high);
        w.u64(self.low);
    }
}
