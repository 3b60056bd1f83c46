//! What surrounds messages: the transport's length prefix, compounds, encryption, and the old
//! protocol's NEGOTIATE that leads to the new one.

pub mod compound;
pub mod direct_tcp;
pub mod smb1_negotiate;
pub mod transform;

pub use smb1_negotiate::Smb1Negotiate;
pub use transform::{TRANSFORM_HEADER_SIZE, TransformHeader};

/// What a frame holds, told by its first four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// One or more SMB2 messages.
    Smb2,
    /// SMB2 messages behind a TRANSFORM_HEADER, encrypted.
    Encrypted,
    /// SMB2 messages behind a COMPRESSION_TRANSFORM_HEADER.
    Compressed,
    /// A message of the old protocol.
    Smb1,
    /// None of these.
    Unknown,
}

impl FrameKind {
    /// The kind of `frame`.
    pub fn of(frame: &[u8]) -> FrameKind {
        match frame {
            [0xFE, b'S', b'M', b'B', ..] => FrameKind::Smb2,
            [0xFD, b'S', b'M', b'B', ..] => FrameKind::Encrypted,
            [0xFC, b'S', b'M', b'B', ..] => FrameKind::Compressed,
            [0xFF, b'S', b'M', b'B', ..] => FrameKind::Smb1,
            _ => FrameKind::Unknown,
        }
    }
}
