//! The application instance that opens ([MS-SMB2] 2.2.13.2.13).

use super::{CreateContext, exact};
use crate::types::Guid;
use crate::wire::{DecodeError, Reader, Writer};

const STRUCTURE_SIZE: u16 = 20;

/// An instance that may be moved to another client: its new opens close its old ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AppInstanceId {
    pub app_instance_id: Guid,
}

impl CreateContext for AppInstanceId {
    const NAME: &'static [u8] = &[
        0x45, 0xBC, 0xA6, 0x6A, 0xEF, 0xA7, 0xF7, 0x4A, 0x90, 0x08, 0xFA, 0x46, 0x2E, 0x14, 0x4D,
        0x74,
    ];

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, usize::from(STRUCTURE_SIZE))?;
        r.structure_size(STRUCTURE_SIZE)?;
        r.skip(2)?;
        Ok(AppInstanceId { app_instance_id: r.guid()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(STRUCTURE_SIZE);
        w.u16(0);
        w.guid(self.app_instance_id);
    }
}
