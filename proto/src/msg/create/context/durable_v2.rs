//! Durable and persistent handles of version 2: "DH2Q" and "DH2C" ([MS-SMB2] 2.2.13.2.11,
//! 2.2.13.2.12, 2.2.14.2.12).

use super::{CreateContext, exact};
use crate::msg::{FileId, file_id, put_file_id};
use crate::types::{CreateGuid, wire_flags};
use crate::wire::{DecodeError, Reader, Writer};

wire_flags! {
    /// Flags of all three contexts.
    DurableHandleFlags: u32 {
        PERSISTENT = 0x0000_0002;
    }
}

/// Make the open durable or persistent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurableHandleRequestV2 {
    /// Milliseconds that the open should outlive its connection; 0 leaves it to the server.
    pub timeout: u32,
    pub flags: DurableHandleFlags,
    pub create_guid: CreateGuid,
}

impl CreateContext for DurableHandleRequestV2 {
    const NAME: &'static [u8] = b"DH2Q";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 32)?;
        let timeout = r.u32()?;
        let flags = DurableHandleFlags(r.u32()?);
        r.skip(8)?;
        Ok(DurableHandleRequestV2 { timeout, flags, create_guid: r.guid()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.timeout);
        w.u32(self.flags.0);
        w.u64(0);
        w.guid(self.create_guid);
    }
}

/// Find a durable or persistent open again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurableHandleReconnectV2 {
    pub file_id: FileId,
    pub create_guid: CreateGuid,
    pub flags: DurableHandleFlags,
}

impl CreateContext for DurableHandleReconnectV2 {
    const NAME: &'static [u8] = b"DH2C";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 36)?;
        Ok(DurableHandleReconnectV2 {
            file_id: file_id(r)?,
            create_guid: r.guid()?,
            flags: DurableHandleFlags(r.u32()?),
        })
    }

    fn encode(&self, w: &mut Writer) {
        put_file_id(w, self.file_id);
        w.guid(self.create_guid);
        w.u32(self.flags.0);
    }
}

/// The open is durable or persistent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurableHandleResponseV2 {
    /// Milliseconds that the open outlives its connection: a lower bound.
    pub timeout: u32,
    pub flags: DurableHandleFlags,
}

impl CreateContext for DurableHandleResponseV2 {
    const NAME: &'static [u8] = b"DH2Q";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 8)?;
        let timeout = r.u32()?;
        Ok(DurableHandleResponseV2 { timeout, flags: DurableHandleFlags(r.u32()?) })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.timeout);
        w.u32(self.flags.0);
    }
}
