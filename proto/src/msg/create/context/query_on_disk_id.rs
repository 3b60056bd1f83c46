//! The file's id on disk: "QFid" ([MS-SMB2] 2.2.13.2.9, 2.2.14.2.9).

use super::{CreateContext, exact};
use crate::wire::{DecodeError, Reader, Writer};

/// Tell the file's id on disk. Data, which it should not have, is passed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueryOnDiskId;

impl CreateContext for QueryOnDiskId {
    const NAME: &'static [u8] = b"QFid";

    fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(QueryOnDiskId)
    }

    fn encode(&self, _: &mut Writer) {}
}

/// The file's id on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OnDiskId {
    pub disk_file_id: u64,
    pub volume_id: u64,
}

impl CreateContext for OnDiskId {
    const NAME: &'static [u8] = b"QFid";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 32)?;
        Ok(OnDiskId { disk_file_id: r.u64()?, volume_id: r.u64()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u64(self.disk_file_id);
        w.u64(self.volume_id);
        w.zeros(16);
    }
}
