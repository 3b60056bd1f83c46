//! The header of encrypted frames: structure only ([MS-SMB2] 2.2.41).

use bytes::Bytes;

use crate::types::{SessionId, wire_flags};
use crate::wire::{DecodeError, Reader};

/// How long the header is.
pub const TRANSFORM_HEADER_SIZE: usize = 52;
/// What the header begins with.
pub const TRANSFORM_PROTOCOL_ID: [u8; 4] = [0xFD, b'S', b'M', b'B'];
/// The part of the header that is authenticated with the message: all behind the signature.
pub const AUTHENTICATED_RANGE: core::ops::Range<usize> = 20..52;

wire_flags! {
    /// Flags of 3.1.1. In 3.0 and 3.0.2 the same value names AES-128-CCM.
    TransformFlags: u16 {
        ENCRYPTED = 0x0001;
    }
}

/// The header of an encrypted frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TransformHeader {
    pub signature: [u8; 16],
    /// The cipher uses the first 11 (CCM) or 12 (GCM) bytes.
    pub nonce: [u8; 16],
    pub original_message_size: u32,
    pub flags: TransformFlags,
    pub session_id: SessionId,
}

impl TransformHeader {
    /// Reads the header and gives the ciphertext behind it. That its length is
    /// OriginalMessageSize is the caller's to check: it is part of judging the message.
    pub fn decode(frame: &Bytes) -> Result<(TransformHeader, Bytes), DecodeError> {
        let mut r = Reader::of(frame);
        if r.array()? != TRANSFORM_PROTOCOL_ID {
            return Err(DecodeError::ProtocolId);
        }
        let signature = r.array()?;
        let nonce = r.array()?;
        let original_message_size = r.u32()?;
        r.skip(2)?;
        let flags = TransformFlags(r.u16()?);
        let session_id = SessionId(r.u64()?);
        let header = TransformHeader { signature, nonce, original_message_size, flags, session_id };
        Ok((header, r.shared()))
    }

    /// The 52 bytes.
    pub fn to_bytes(&self) -> [u8; TRANSFORM_HEADER_SIZE] {
        let mut bytes = [0; TRANSFORM_HEADER_SIZE];
        bytes[0..4].copy_from_slice(&TRANSFORM_PROTOCOL_ID);
        bytes[4..20].copy_from_slice(&self.signature);
        bytes[20..36].copy_from_slice(&self.nonce);
        bytes[36..40].copy_from_slice(&self.original_message_size.to_le_bytes());
        bytes[42..44].copy_from_slice(&self.flags.0.to_le_bytes());
        bytes[44..52].copy_from_slice(&self.session_id.0.to_le_bytes());
        bytes
    }

    /// What is authenticated with the message.
    pub fn authenticated_data(&self) -> [u8; 32] {
        let mut data = [0; 32];
        data.copy_from_slice(&self.to_bytes()[AUTHENTICATED_RANGE]);
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_survives_and_breaks_cleanly() {
        let header = TransformHeader {
            signature: [1; 16],
            nonce: [2; 16],
            original_message_size: 3,
            flags: TransformFlags::ENCRYPTED,
            session_id: SessionId(4),
        };
        let mut frame = header.to_bytes().to_vec();
        frame.extend_from_slice(b"xyz");
        let frame = Bytes::from(frame);
        assert_eq!(TransformHeader::decode(&frame), Ok((header, Bytes::from_static(b"xyz"))));
        for length in 0..TRANSFORM_HEADER_SIZE {
            assert!(TransformHeader::decode(&frame.slice(..length)).is_err());
        }
        assert_eq!(header.authenticated_data()[..16], [2; 16]);
    }
}
