//! QUERY_DIRECTORY: lists a directory.
//!
//! Spec: [MS-SMB2] 2.2.33, 2.2.34

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 33;
const RESPONSE_SIZE: u16 = 9;

wire_flags! {
    /// Flags of the request.
    QueryDirectoryFlags: u8 {
        RESTART_SCANS = 0x01;
        RETURN_SINGLE_ENTRY = 0x02;
        INDEX_SPECIFIED = 0x04;
        REOPEN = 0x10;
    }
}

/// Asks for the next entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueryDirectoryRequest {
    /// FileInformationClass, a number of [MS-FSCC] 2.4.
    pub file_information_class: u8,
    pub flags: QueryDirectoryFlags,
    pub file_index: u32,
    pub file_id: FileId,
    /// The search pattern, which may be empty.
    pub file_name: String,
    pub output_buffer_length: u32,
}

impl Message for QueryDirectoryRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let file_information_class = r.u8()?;
        let flags = QueryDirectoryFlags(r.u8()?);
        let file_index = r.u32()?;
        let file_id = file_id(&mut r)?;
        let (offset, length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let output_buffer_length = r.u32()?;
        Ok(QueryDirectoryRequest {
            file_information_class,
            flags,
            file_index,
            file_id,
            file_name: r.part(offset, length)?.text()?,
            output_buffer_length,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u8(self.file_information_class);
        w.u8(self.flags.0);
        w.u32(self.file_index);
        put_file_id(w, self.file_id);
        let (offset, length) = (w.slot16(), w.slot16());
        w.u32(self.output_buffer_length);
        w.fill16_here(offset);
        let written = w.measured(|w| w.utf16(&self.file_name));
        w.fill16(length, written);
        if written == 0 {
            // The structure size counts one byte of buffer.
            w.u8(0);
        }
    }
}

/// The entries, encoded as their class has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueryDirectoryResponse {
    pub output: Bytes,
}

impl Message for QueryDirectoryResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let (offset, length) = (usize::from(r.u16()?), r.u32()? as usize);
        Ok(QueryDirectoryResponse { output: r.part(offset, length)?.shared() })
    }

    fn encode(&self, w: &mut Writer) {
        super::put_output(w, RESPONSE_SIZE, &self.output);
    }
}
