//! SET_INFO: changes facts about a file, a volume, its security or quotas.
//!
//! Spec: [MS-SMB2] 2.2.39, 2.2.40

use bytes::Bytes;

pub use super::query_info::{InfoType, SecurityInformation};
use super::{FileId, Message, body, file_id, put_file_id};
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 33;
const RESPONSE_SIZE: u16 = 2;

/// Changes facts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SetInfoRequest {
    pub info_type: InfoType,
    /// FileInfoClass, a number of [MS-FSCC] 2.4 or 2.5.
    pub file_info_class: u8,
    pub additional_information: u32,
    pub file_id: FileId,
    /// The facts, encoded as their class has it.
    pub buffer: Bytes,
}

impl Message for SetInfoRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let info_type = InfoType(r.u8()?);
        let file_info_class = r.u8()?;
        let length = r.u32()? as usize;
        let offset = usize::from(r.u16()?);
        r.skip(2)?;
        let additional_information = r.u32()?;
        let file_id = file_id(&mut r)?;
        Ok(SetInfoRequest {
            info_type,
            file_info_class,
            additional_information,
            file_id,
            buffer: r.part(offset, length)?.shared(),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u8(self.info_type.0);
        w.u8(self.file_info_class);
        w.u32(self.buffer.len() as u32);
        let offset = w.slot16();
        w.u16(0);
        w.u32(self.additional_information);
        put_file_id(w, self.file_id);
        w.fill16_here(offset);
        w.bytes(&self.buffer);
        if self.buffer.is_empty() {
            // The structure size counts one byte of buffer.
            w.u8(0);
        }
    }
}

/// Done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SetInfoResponse;

impl Message for SetInfoResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        body(message)?.structure_size(RESPONSE_SIZE)?;
        Ok(SetInfoResponse)
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
    }
}
