//! IOCTL: control codes with buffers of their own, see [`crate::fsctl`].
//!
//! Spec: [MS-SMB2] 2.2.31, 2.2.32

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::fsctl::CtlCode;
use crate::types::wire_flags;
use crate::wire::{DecodeError, Reader, Writer};

const REQUEST_SIZE: u16 = 57;
const RESPONSE_SIZE: u16 = 49;

wire_flags! {
    /// Flags of the request.
    IoctlFlags: u32 {
        IS_FSCTL = 0x0000_0001;
    }
}

/// Asks for a control operation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IoctlRequest {
    pub ctl_code: CtlCode,
    pub file_id: FileId,
    pub input: Bytes,
    pub max_input_response: u32,
    /// Empty in all requests that the specification knows.
    pub output: Bytes,
    pub max_output_response: u32,
    pub flags: IoctlFlags,
}

/// Reads an offset and a length and remembers them until the fixed part is over.
fn span(r: &mut Reader<'_>) -> Result<(usize, usize), DecodeError> {
    Ok((r.u32()? as usize, r.u32()? as usize))
}

impl Message for IoctlRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        r.skip(2)?;
        let ctl_code = CtlCode(r.u32()?);
        let file_id = file_id(&mut r)?;
        let input = span(&mut r)?;
        let max_input_response = r.u32()?;
        let output = span(&mut r)?;
        let max_output_response = r.u32()?;
        let flags = IoctlFlags(r.u32()?);
        r.skip(4)?;
        Ok(IoctlRequest {
            ctl_code,
            file_id,
            input: r.part(input.0, input.1)?.shared(),
            max_input_response,
            output: r.part(output.0, output.1)?.shared(),
            max_output_response,
            flags,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(0);
        w.u32(self.ctl_code.0);
        put_file_id(w, self.file_id);
        let input_offset = w.slot32();
        w.u32(self.input.len() as u32);
        w.u32(self.max_input_response);
        let output_offset = w.slot32();
        w.u32(self.output.len() as u32);
        w.u32(self.max_output_response);
        w.u32(self.flags.0);
        w.u32(0);
        w.fill32_here(input_offset);
        w.bytes(&self.input);
        if !self.output.is_empty() {
            w.align(8);
            w.fill32_here(output_offset);
            w.bytes(&self.output);
        }
    }
}

/// What the control operation answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IoctlResponse {
    pub ctl_code: CtlCode,
    pub file_id: FileId,
    /// Empty but for pass-through operations.
    pub input: Bytes,
    pub output: Bytes,
    /// Reserved.
    pub flags: u32,
}

impl Message for IoctlResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        r.skip(2)?;
        let ctl_code = CtlCode(r.u32()?);
        let file_id = file_id(&mut r)?;
        let input = span(&mut r)?;
        let output = span(&mut r)?;
        let flags = r.u32()?;
        r.skip(4)?;
        Ok(IoctlResponse {
            ctl_code,
            file_id,
            input: r.part(input.0, input.1)?.shared(),
            output: r.part(output.0, output.1)?.shared(),
            flags,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u16(0);
        w.u32(self.ctl_code.0);
        put_file_id(w, self.file_id);
        let input_offset = w.slot32();
        w.u32(self.input.len() as u32);
        let output_offset = w.slot32();
        w.u32(self.output.len() as u32);
        w.u32(self.flags);
        w.u32(0);
        w.fill32_here(input_offset);
        w.bytes(&self.input);
        w.align(8);
        w.fill32_here(output_offset);
        w.attach(self.output.clone());
    }
}
