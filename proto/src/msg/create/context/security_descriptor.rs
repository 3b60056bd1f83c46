//! The descriptor of a new file: "SecD" ([MS-SMB2] 2.2.13.2.2).

use bytes::Bytes;

use super::CreateContext;
use crate::wire::{DecodeError, Reader, Writer};

/// The descriptor of a new file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecurityDescriptorBuffer {
    /// A self-relative security descriptor, not looked into.
    pub data: Bytes,
}

impl CreateContext for SecurityDescriptorBuffer {
    const NAME: &'static [u8] = b"SecD";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(SecurityDescriptorBuffer { data: r.shared() })
    }

    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.data);
    }
}
