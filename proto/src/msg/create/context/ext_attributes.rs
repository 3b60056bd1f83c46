//! The extended attributes of a new file: "ExtA" ([MS-SMB2] 2.2.13.2.1).

use bytes::Bytes;

use super::CreateContext;
use crate::wire::{DecodeError, Reader, Writer};

/// The extended attributes of a new file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExtAttributes {
    /// FILE_FULL_EA_INFORMATION entries ([MS-FSCC] 2.4.16), not looked into.
    pub data: Bytes,
}

impl CreateContext for ExtAttributes {
    const NAME: &'static [u8] = b"ExtA";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(ExtAttributes { data: r.shared() })
    }

    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.data);
    }
}
