//! QUERY_INFO: facts about a file, a volume, its security or quotas.
//!
//! Spec: [MS-SMB2] 2.2.37, 2.2.38

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Writer, open_enum};

const REQUEST_SIZE: u16 = 41;
const RESPONSE_SIZE: u16 = 9;

open_enum! {
    /// What the facts are about.
    InfoType: u8 {
        FILE = 0x01;
        FILESYSTEM = 0x02;
        SECURITY = 0x03;
        QUOTA = 0x04;
    }
}

wire_flags! {
    /// Which parts of a security descriptor: AdditionalInformation of InfoType SECURITY.
    SecurityInformation: u32 {
        OWNER = 0x0000_0001;
        GROUP = 0x0000_0002;
        DACL = 0x0000_0004;
        SACL = 0x0000_0008;
        LABEL = 0x0000_0010;
        ATTRIBUTE = 0x0000_0020;
        SCOPE = 0x0000_0040;
        BACKUP = 0x0001_0000;
    }
}

wire_flags! {
    /// Flags of the request: how a list of extended attributes is walked.
    QueryInfoFlags: u32 {
        RESTART_SCAN = 0x0000_0001;
        RETURN_SINGLE_ENTRY = 0x0000_0002;
        INDEX_SPECIFIED = 0x0000_0004;
    }
}

/// Asks for facts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueryInfoRequest {
    pub info_type: InfoType,
    /// FileInfoClass, a number of [MS-FSCC] 2.4 or 2.5.
    pub file_info_class: u8,
    pub output_buffer_length: u32,
    pub additional_information: u32,
    pub flags: QueryInfoFlags,
    pub file_id: FileId,
    /// Names of extended attributes or a quota query.
    pub input: Bytes,
}

impl Message for QueryInfoRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let info_type = InfoType(r.u8()?);
        let file_info_class = r.u8()?;
        let output_buffer_length = r.u32()?;
        let offset = usize::from(r.u16()?);
        r.skip(2)?;
        let length = r.u32()? as usize;
        let additional_information = r.u32()?;
        let flags = QueryInfoFlags(r.u32()?);
        let file_id = file_id(&mut r)?;
        Ok(QueryInfoRequest {
            info_type,
            file_info_class,
            output_buffer_length,
            additional_information,
            flags,
            file_id,
            input: r.part(offset, length)?.shared(),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u8(self.info_type.0);
        w.u8(self.file_info_class);
        w.u32(self.output_buffer_length);
        let offset = w.slot16();
        w.u16(0);
        w.u32(self.input.len() as u32);
        w.u32(self.additional_information);
        w.u32(self.flags.0);
        put_file_id(w, self.file_id);
        if self.input.is_empty() {
            // The structure size counts one byte of buffer.
            w.u8(0);
        } else {
            w.fill16_here(offset);
            w.bytes(&self.input);
        }
    }
}

/// The facts, encoded as their class has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueryInfoResponse {
    pub output: Bytes,
}

impl Message for QueryInfoResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let (offset, length) = (usize::from(r.u16()?), r.u32()? as usize);
        Ok(QueryInfoResponse { output: r.part(offset, length)?.shared() })
    }

    fn encode(&self, w: &mut Writer) {
        super::put_output(w, RESPONSE_SIZE, &self.output);
    }
}
