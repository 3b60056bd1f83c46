//! FSCTL_CREATE_OR_GET_OBJECT_ID and FSCTL_GET_OBJECT_ID: the reply, a FILE_OBJECTID_BUFFER
//! ([MS-FSCC] 2.1.3). The requests are empty.

use super::FsctlPayload;
use crate::types::Guid;
use crate::wire::{DecodeError, Reader, Writer};

/// The object id of a file, in the form of type 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ObjectIdBuffer {
    pub object_id: Guid,
    pub birth_volume_id: Guid,
    pub birth_object_id: Guid,
    pub domain_id: Guid,
}

impl FsctlPayload for ObjectIdBuffer {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(ObjectIdBuffer {
            object_id: r.guid()?,
            birth_volume_id: r.guid()?,
            birth_object_id: r.guid()?,
            domain_id: r.guid()?,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.guid(self.object_id);
        w.guid(self.birth_volume_id);
        w.guid(self.birth_object_id);
        w.guid(self.domain_id);
    }
}
