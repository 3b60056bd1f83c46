//! CLOSE: ends an open.
//!
//! Spec: [MS-SMB2] 2.2.15, 2.2.16

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::{FileAttributes, FileTime, wire_flags};
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 24;
const RESPONSE_SIZE: u16 = 60;

wire_flags! {
    /// Flags of both directions.
    CloseFlags: u16 {
        /// The response tells attributes and times.
        POSTQUERY_ATTRIB = 0x0001;
    }
}

/// Ends an open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CloseRequest {
    pub flags: CloseFlags,
    pub file_id: FileId,
}

impl Message for CloseRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let flags = CloseFlags(r.u16()?);
        r.skip(4)?;
        Ok(CloseRequest { flags, file_id: file_id(&mut r)? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(self.flags.0);
        w.u32(0);
        put_file_id(w, self.file_id);
    }
}

/// The open is closed. Without POSTQUERY_ATTRIB everything is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CloseResponse {
    pub flags: CloseFlags,
    pub creation_time: FileTime,
    pub last_access_time: FileTime,
    pub last_write_time: FileTime,
    pub change_time: FileTime,
    pub allocation_size: u64,
    pub end_of_file: u64,
    pub file_attributes: FileAttributes,
}

impl Message for CloseResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let flags = CloseFlags(r.u16()?);
        r.skip(4)?;
        Ok(CloseResponse {
            flags,
            creation_time: r.file_time()?,
            last_access_time: r.file_time()?,
            last_write_time: r.file_time()?,
            change_time: r.file_time()?,
            allocation_size: r.u64()?,
            end_of_file: r.u64()?,
            file_attributes: FileAttributes(r.u32()?),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u16(self.flags.0);
        w.u32(0);
        w.file_time(self.creation_time);
        w.file_time(self.last_access_time);
        w.file_time(self.last_write_time);
        w.file_time(self.change_time);
        w.u64(self.allocation_size);
        w.u64(self.end_of_file);
        w.u32(self.file_attributes.0);
    }
}
