//! WRITE: data to a file or pipe.
//!
//! Spec: [MS-SMB2] 2.2.21, 2.2.22

use core::fmt;

use bytes::Bytes;

pub use super::read::Channel;
use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 49;
const RESPONSE_SIZE: u16 = 17;

wire_flags! {
    /// Flags of the request.
    WriteFlags: u32 {
        WRITE_THROUGH = 0x0000_0001;
        WRITE_UNBUFFERED = 0x0000_0002;
    }
}

/// Brings data. It stays where it arrived.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct WriteRequest {
    pub offset: u64,
    pub file_id: FileId,
    pub channel: Channel,
    pub remaining_bytes: u32,
    /// RDMA descriptors, not looked into.
    pub write_channel_info: Bytes,
    pub flags: WriteFlags,
    pub data: Bytes,
    /// DataOffset as it came in; encoding sets its own. A server may refuse odd ones.
    pub data_offset: u16,
}

impl fmt::Debug for WriteRequest {
    /// Without the data, which may be long and is nothing for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteRequest")
            .field("offset", &self.offset)
            .field("file_id", &self.file_id)
            .field("channel", &self.channel)
            .field("remaining_bytes", &self.remaining_bytes)
            .field("write_channel_info", &self.write_channel_info)
            .field("flags", &self.flags)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("data_offset", &self.data_offset)
            .finish()
    }
}

impl Message for WriteRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let data_offset = r.u16()?;
        let data_length = r.u32()? as usize;
        let offset = r.u64()?;
        let file_id = file_id(&mut r)?;
        let channel = Channel(r.u32()?);
        let remaining_bytes = r.u32()?;
        let (info_offset, info_length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let flags = WriteFlags(r.u32()?);
        let info_length = if channel == Channel::NONE { 0 } else { info_length };
        Ok(WriteRequest {
            offset,
            file_id,
            channel,
            remaining_bytes,
            write_channel_info: r.part(info_offset, info_length)?.shared(),
            flags,
            data: r.part(usize::from(data_offset), data_length)?.shared(),
            data_offset,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        let data_offset = w.slot16();
        w.u32(self.data.len() as u32);
        w.u64(self.offset);
        put_file_id(w, self.file_id);
        w.u32(self.channel.0);
        w.u32(self.remaining_bytes);
        let (info_offset, info_length) = (w.slot16(), w.slot16());
        w.u32(self.flags.0);
        if !self.write_channel_info.is_empty() {
            w.fill16_here(info_offset);
            w.fill16(info_length, self.write_channel_info.len());
            w.bytes(&self.write_channel_info);
            w.align(8);
        }
        w.fill16_here(data_offset);
        w.attach(self.data.clone());
    }
}

/// How much was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WriteResponse {
    pub count: u32,
    pub remaining: u32,
}

impl Message for WriteResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        r.skip(2)?;
        let response = WriteResponse { count: r.u32()?, remaining: r.u32()? };
        // WriteChannelInfoOffset and WriteChannelInfoLength are reserved.
        r.skip(4)?;
        Ok(response)
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u16(0);
        w.u32(self.count);
        w.u32(self.remaining);
        // The one byte of buffer that the structure size counts is never sent.
        w.u32(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;
    use crate::msg::Request;
    use crate::opcode::Opcode;

    #[test]
    fn data_stays_where_it_arrives() {
        let data = Bytes::from_static(b"what the file shall say");
        let request = WriteRequest { data: data.clone(), ..WriteRequest::default() };
        let encoded = Request::from(request).to_message(&Header::request(Opcode::WRITE, 1));
        assert_eq!(encoded.payload.as_ptr(), data.as_ptr());
        let message = encoded.to_bytes();
        let decoded = WriteRequest::decode(&message).unwrap();
        assert_eq!((decoded.data.clone(), decoded.data_offset), (data, 0x70));
        assert_eq!(decoded.data.as_ptr(), message[0x70..].as_ptr());
    }
}
