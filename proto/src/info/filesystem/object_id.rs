//! FileFsObjectIdInformation ([MS-FSCC] 2.5.6).

use crate::info::Information;
use crate::types::Guid;
use crate::wire::{DecodeError, Reader, Writer};

/// The volume's name for all that never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileFsObjectIdInformation {
    /// The volume's GUID.
    pub object_id: Guid,
    /// What only its maker understands.
    pub extended_info: [u8; 48],
}

impl Information for FileFsObjectIdInformation {
    const MINIMUM: usize = 64;

    fn encode(&self, w: &mut Writer) {
        w.guid(self.object_id);
        w.bytes(&self.extended_info);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileFsObjectIdInformation, DecodeError> {
        Ok(FileFsObjectIdInformation { object_id: r.guid()?, extended_info: r.array()? })
    }
}
