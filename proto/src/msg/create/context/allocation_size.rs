//! Space for a new file: "AlSi" ([MS-SMB2] 2.2.13.2.6).

use super::{CreateContext, exact};
use crate::wire::{DecodeError, Reader, Writer};

/// How much space a new file is to have at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AllocationSize {
    pub allocation_size: u64,
}

impl CreateContext for AllocationSize {
    const NAME: &'static [u8] = b"AlSi";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 8)?;
        Ok(AllocationSize { allocation_size: r.u64()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u64(self.allocation_size);
    }
}
