//! CHANGE_NOTIFY: waits for changes in a directory.
//!
//! Spec: [MS-SMB2] 2.2.35, 2.2.36

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 32;
const RESPONSE_SIZE: u16 = 9;

wire_flags! {
    /// Flags of the request.
    ChangeNotifyFlags: u16 {
        WATCH_TREE = 0x0001;
    }
}

wire_flags! {
    /// Which changes count.
    CompletionFilter: u32 {
        FILE_NAME = 0x0000_0001;
        DIR_NAME = 0x0000_0002;
        ATTRIBUTES = 0x0000_0004;
        SIZE = 0x0000_0008;
        LAST_WRITE = 0x0000_0010;
        LAST_ACCESS = 0x0000_0020;
        CREATION = 0x0000_0040;
        EA = 0x0000_0080;
        SECURITY = 0x0000_0100;
        STREAM_NAME = 0x0000_0200;
        STREAM_SIZE = 0x0000_0400;
        STREAM_WRITE = 0x0000_0800;
    }
}

/// Waits for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChangeNotifyRequest {
    pub flags: ChangeNotifyFlags,
    pub output_buffer_length: u32,
    pub file_id: FileId,
    pub completion_filter: CompletionFilter,
}

impl Message for ChangeNotifyRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let flags = ChangeNotifyFlags(r.u16()?);
        let output_buffer_length = r.u32()?;
        let file_id = file_id(&mut r)?;
        let completion_filter = CompletionFilter(r.u32()?);
        r.skip(4)?;
        Ok(ChangeNotifyRequest { flags, output_buffer_length, file_id, completion_filter })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(self.flags.0);
        w.u32(self.output_buffer_length);
        put_file_id(w, self.file_id);
        w.u32(self.completion_filter.0);
        w.u32(0);
    }
}

/// The changes: FILE_NOTIFY_INFORMATION entries ([MS-FSCC] 2.7.1). Empty with NOTIFY_ENUM_DIR.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChangeNotifyResponse {
    pub output: Bytes,
}

impl Message for ChangeNotifyResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let (offset, length) = (usize::from(r.u16()?), r.u32()? as usize);
        Ok(ChangeNotifyResponse { output: r.part(offset, length)?.shared() })
    }

    fn encode(&self, w: &mut Writer) {
        super::put_output(w, RESPONSE_SIZE, &self.output);
    }
}
