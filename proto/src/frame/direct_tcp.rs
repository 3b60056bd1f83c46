//! The length prefix of direct TCP: a zero byte and 24 bits, big-endian ([MS-SMB2] 2.1).

use bytes::{Buf, Bytes, BytesMut};

use crate::wire::DecodeError;

/// How long the prefix is.
pub const PREFIX_SIZE: usize = 4;
/// The longest frame that a prefix can announce.
pub const MAX_FRAME: usize = 0x00FF_FFFF;

/// How long the frame behind `prefix` is. One longer than `max` is refused before a byte of it is
/// kept.
pub fn decode_prefix(prefix: [u8; PREFIX_SIZE], max: usize) -> Result<usize, DecodeError> {
    if prefix[0] != 0 {
        return Err(DecodeError::ProtocolId);
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > max { Err(DecodeError::Length) } else { Ok(length) }
}

/// The prefix of a frame of `length` bytes, if one can announce it.
pub fn encode_prefix(length: usize) -> Option<[u8; PREFIX_SIZE]> {
    if length > MAX_FRAME { None } else { Some((length as u32).to_be_bytes()) }
}

/// Takes the first frame out of what has arrived, if all of it has. Never copies.
pub fn take_frame(arrived: &mut BytesMut, max: usize) -> Result<Option<Bytes>, DecodeError> {
    let Some(prefix) = arrived.first_chunk::<PREFIX_SIZE>() else {
        return Ok(None);
    };
    let length = decode_prefix(*prefix, max)?;
    if arrived.len() < PREFIX_SIZE + length {
        return Ok(None);
    }
    arrived.advance(PREFIX_SIZE);
    Ok(Some(arrived.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_and_in_order() {
        let mut arrived = BytesMut::new();
        for frame in [b"abc".as_slice(), b"", b"de"] {
            arrived.extend_from_slice(&encode_prefix(frame.len()).unwrap());
            arrived.extend_from_slice(frame);
        }
        let last = arrived.split_off(arrived.len() - 1);
        assert_eq!(take_frame(&mut arrived, 3).unwrap().unwrap().as_ref(), b"abc");
        assert_eq!(take_frame(&mut arrived, 3).unwrap().unwrap().as_ref(), b"");
        assert_eq!(take_frame(&mut arrived, 3), Ok(None));
        arrived.unsplit(last);
        assert_eq!(take_frame(&mut arrived, 3).unwrap().unwrap().as_ref(), b"de");
        assert_eq!(take_frame(&mut arrived, 3), Ok(None));
    }

    #[test]
    fn what_is_too_long_or_no_frame_is_refused() {
        assert_eq!(decode_prefix([0, 0, 1, 0], 255), Err(DecodeError::Length));
        assert_eq!(decode_prefix([0, 0, 1, 0], 256), Ok(256));
        assert_eq!(decode_prefix([0x85, 0, 0, 0], 255), Err(DecodeError::ProtocolId));
        assert_eq!(encode_prefix(MAX_FRAME + 1), None);
    }
}
