//! An earlier version of a file: "TWrp" ([MS-SMB2] 2.2.13.2.7).

use super::{CreateContext, exact};
use crate::types::FileTime;
use crate::wire::{DecodeError, Reader, Writer};

/// Which version to open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimewarpToken {
    pub timestamp: FileTime,
}

impl CreateContext for TimewarpToken {
    const NAME: &'static [u8] = b"TWrp";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 8)?;
        Ok(TimewarpToken { timestamp: r.file_time()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.file_time(self.timestamp);
    }
}
