//! FLUSH: makes an open's data stable.
//!
//! Spec: [MS-SMB2] 2.2.17, 2.2.18

use bytes::Bytes;

use super::{FileId, Message, body, empty_message, file_id, put_file_id};
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 24;

/// Makes what was written stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FlushRequest {
    /// Reserved; Apple clients ask here for a full sync.
    pub reserved1: u16,
    pub file_id: FileId,
}

impl Message for FlushRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let reserved1 = r.u16()?;
        r.skip(4)?;
        Ok(FlushRequest { reserved1, file_id: file_id(&mut r)? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(self.reserved1);
        w.u32(0);
        put_file_id(w, self.file_id);
    }
}

empty_message! {
    /// It is stable.
    FlushResponse
}
