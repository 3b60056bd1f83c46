//! Everything that surrounds messages.

use bytes::{Bytes, BytesMut};

use crate::frame::{FrameKind, Smb1Negotiate, TransformHeader, compound, direct_tcp};

const MAX_FRAME: usize = 1 << 16;
const MAX_MESSAGES: usize = 32;

/// What arrives on a connection, first as a stream and then as one frame.
pub(super) fn frames(bytes: &[u8]) {
    let mut arrived = BytesMut::from(bytes);
    while let Ok(Some(frame)) = direct_tcp::take_frame(&mut arrived, MAX_FRAME) {
        one_frame(&frame);
    }
    one_frame(&Bytes::copy_from_slice(bytes));
}

fn one_frame(frame: &Bytes) {
    match FrameKind::of(frame) {
        FrameKind::Smb2 => {
            if let Ok(parts) = compound::split(frame, MAX_MESSAGES) {
                let length: usize = parts.iter().map(|part| part.message.len()).sum();
                assert_eq!(length, frame.len());
            }
        }
        FrameKind::Encrypted => {
            if let Ok((header, ciphertext)) = TransformHeader::decode(frame) {
                let again = Bytes::from([&header.to_bytes()[..], &ciphertext].concat());
                assert_eq!(TransformHeader::decode(&again), Ok((header, ciphertext)));
            }
        }
        FrameKind::Smb1 => {
            if let Ok(negotiate) = Smb1Negotiate::decode(frame) {
                assert_eq!(Smb1Negotiate::decode(&negotiate.to_bytes()), Ok(negotiate));
            }
        }
        FrameKind::Compressed | FrameKind::Unknown => {}
    }
}
