//! READ: data from a file or pipe.
//!
//! Spec: [MS-SMB2] 2.2.19, 2.2.20

use core::fmt;

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Writer, open_enum};

const REQUEST_SIZE: u16 = 49;
const RESPONSE_SIZE: u16 = 17;
/// Where the response's data begins: behind its header and its fixed part.
pub const RESPONSE_DATA_OFFSET: u8 = 80;

wire_flags! {
    /// Flags of the request (3.0.2 and later).
    ReadFlags: u8 {
        READ_UNBUFFERED = 0x01;
        REQUEST_COMPRESSED = 0x02;
    }
}

wire_flags! {
    /// Flags of the response (3.1.1; reserved before).
    ReadResponseFlags: u32 {
        RDMA_TRANSFORM = 0x0000_0001;
    }
}

open_enum! {
    /// How bulk data travels: in the message or by RDMA.
    Channel: u32 {
        NONE = 0;
        RDMA_V1 = 1;
        RDMA_V1_INVALIDATE = 2;
        RDMA_TRANSFORM = 3;
    }
}

/// Asks for data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReadRequest {
    /// Where the client would like the data to begin in the response.
    pub padding: u8,
    pub flags: ReadFlags,
    pub length: u32,
    pub offset: u64,
    pub file_id: FileId,
    pub minimum_count: u32,
    pub channel: Channel,
    pub remaining_bytes: u32,
    /// RDMA descriptors, not looked into.
    pub read_channel_info: Bytes,
}

impl Message for ReadRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let padding = r.u8()?;
        let flags = ReadFlags(r.u8()?);
        let length = r.u32()?;
        let offset = r.u64()?;
        let file_id = file_id(&mut r)?;
        let minimum_count = r.u32()?;
        let channel = Channel(r.u32()?);
        let remaining_bytes = r.u32()?;
        let (info_offset, info_length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        // Without a channel the two fields mean nothing and may hold anything.
        let info_length = if channel == Channel::NONE { 0 } else { info_length };
        Ok(ReadRequest {
            padding,
            flags,
            length,
            offset,
            file_id,
            minimum_count,
            channel,
            remaining_bytes,
            read_channel_info: r.part(info_offset, info_length)?.shared(),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u8(self.padding);
        w.u8(self.flags.0);
        w.u32(self.length);
        w.u64(self.offset);
        put_file_id(w, self.file_id);
        w.u32(self.minimum_count);
        w.u32(self.channel.0);
        w.u32(self.remaining_bytes);
        let (info_offset, info_length) = (w.slot16(), w.slot16());
        if self.read_channel_info.is_empty() {
            // The structure size counts one byte of buffer, and servers insist on it.
            w.u8(0);
        } else {
            w.fill16_here(info_offset);
            w.fill16(info_length, self.read_channel_info.len());
            w.bytes(&self.read_channel_info);
        }
    }
}

/// The data. It goes out from where it lies.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ReadResponse {
    pub data: Bytes,
    pub data_remaining: u32,
    pub flags: ReadResponseFlags,
}

impl fmt::Debug for ReadResponse {
    /// Without the data, which may be long and is nothing for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadResponse")
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("data_remaining", &self.data_remaining)
            .field("flags", &self.flags)
            .finish()
    }
}

impl Message for ReadResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let data_offset = usize::from(r.u8()?);
        r.skip(1)?;
        let data_length = r.u32()? as usize;
        let data_remaining = r.u32()?;
        let flags = ReadResponseFlags(r.u32()?);
        let data = r.part(data_offset, data_length)?.shared();
        Ok(ReadResponse { data, data_remaining, flags })
    }

    fn encode(&self, w: &mut Writer) {
        let mut fixed = [0; RESPONSE_SIZE as usize - 1];
        fixed[0..2].copy_from_slice(&RESPONSE_SIZE.to_le_bytes());
        fixed[2] = RESPONSE_DATA_OFFSET;
        fixed[4..8].copy_from_slice(&(self.data.len() as u32).to_le_bytes());
        fixed[8..12].copy_from_slice(&self.data_remaining.to_le_bytes());
        fixed[12..16].copy_from_slice(&self.flags.0.to_le_bytes());
        w.bytes(&fixed);
        w.attach(self.data.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;
    use crate::msg::Response;
    use crate::opcode::Opcode;
    use crate::status::NtStatus;

    #[test]
    fn data_goes_out_from_where_it_lies_and_stays_where_it_arrives() {
        let data = Bytes::from_static(b"what the file says");
        let header = Header::request(Opcode::READ, 1).response(NtStatus::SUCCESS);
        let response = ReadResponse { data: data.clone(), ..ReadResponse::default() };
        let encoded = Response::from(response).to_message(&header);
        assert_eq!(encoded.payload.as_ptr(), data.as_ptr());
        assert_eq!(encoded.head.len(), usize::from(RESPONSE_DATA_OFFSET));
        let message = encoded.to_bytes();
        let decoded = ReadResponse::decode(&message).unwrap();
        assert_eq!(decoded.data, data);
        assert_eq!(decoded.data.as_ptr(), message[80..].as_ptr());
    }
}
