//! The old protocol's NEGOTIATE, by which clients ask for the new one ([MS-SMB2] 3.3.5.3,
//! [MS-CIFS] 2.2.4.52). No other message of the old protocol is read.

use bytes::Bytes;

use crate::wire::{DecodeError, Reader, Writer};

const PROTOCOL_ID: [u8; 4] = [0xFF, b'S', b'M', b'B'];
const COMMAND_NEGOTIATE: u8 = 0x72;
const HEADER_SIZE: usize = 32;
/// What precedes each dialect's name.
const BUFFER_FORMAT_DIALECT: u8 = 0x02;
/// More dialects than the old protocol has.
const MAX_DIALECTS: usize = 64;

/// The dialect string for 2.0.2.
pub const SMB_2_002: &[u8] = b"SMB 2.002";
/// The dialect string for 2.1 and whatever comes later.
pub const SMB_2_WILDCARD: &[u8] = b"SMB 2.???";

/// The dialects that the client offers, as it spells them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Smb1Negotiate {
    pub dialects: Vec<Bytes>,
}

impl Smb1Negotiate {
    /// True if the client speaks 2.0.2.
    pub fn offers_smb_2_002(&self) -> bool {
        self.dialects.iter().any(|dialect| dialect == SMB_2_002)
    }

    /// True if the client speaks 2.1 or later.
    pub fn offers_smb_2_wildcard(&self) -> bool {
        self.dialects.iter().any(|dialect| dialect == SMB_2_WILDCARD)
    }

    /// Reads the message.
    pub fn decode(message: &Bytes) -> Result<Smb1Negotiate, DecodeError> {
        let mut r = Reader::of(message);
        if r.array()? != PROTOCOL_ID {
            return Err(DecodeError::ProtocolId);
        }
        let command = r.u8()?;
        if command != COMMAND_NEGOTIATE {
            return Err(DecodeError::Opcode(u16::from(command)));
        }
        r.skip(HEADER_SIZE - 5)?;
        let word_count = usize::from(r.u8()?);
        r.skip(word_count * 2)?;
        let byte_count = usize::from(r.u16()?);
        let mut list = r.sub(byte_count)?;
        let mut dialects = Vec::new();
        while !list.is_empty() {
            if dialects.len() == MAX_DIALECTS {
                return Err(DecodeError::TooManyEntries);
            }
            if list.u8()? != BUFFER_FORMAT_DIALECT {
                return Err(DecodeError::Value);
            }
            let length = list.whole()[list.position()..].iter().position(|byte| *byte == 0);
            dialects.push(list.sub(length.ok_or(DecodeError::Truncated)?)?.shared());
            list.skip(1)?;
        }
        Ok(Smb1Negotiate { dialects })
    }

    /// The whole message.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::new();
        w.bytes(&PROTOCOL_ID);
        w.u8(COMMAND_NEGOTIATE);
        w.zeros(HEADER_SIZE - 5);
        w.u8(0);
        let byte_count = w.slot16();
        let written = w.measured(|w| {
            for dialect in &self.dialects {
                w.u8(BUFFER_FORMAT_DIALECT);
                w.bytes(dialect);
                w.u8(0);
            }
        });
        w.fill16(byte_count, written);
        w.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_survive_and_break_cleanly() {
        let names: [&'static [u8]; 3] = [b"NT LM 0.12", SMB_2_002, SMB_2_WILDCARD];
        let dialects = names.into_iter().map(Bytes::from_static).collect();
        let negotiate = Smb1Negotiate { dialects };
        let bytes = negotiate.to_bytes();
        assert_eq!(Smb1Negotiate::decode(&bytes), Ok(negotiate.clone()));
        assert!(negotiate.offers_smb_2_002() && negotiate.offers_smb_2_wildcard());
        for length in 0..bytes.len() {
            assert!(Smb1Negotiate::decode(&bytes.slice(..length)).is_err());
        }
        let mut other = bytes.to_vec();
        other[4] = 0x73;
        assert_eq!(Smb1Negotiate::decode(&other.into()), Err(DecodeError::Opcode(0x73)));
    }
}
