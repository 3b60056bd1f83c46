//! A finished message as the transport writes it: head, bulk data, padding.

use bytes::{Bytes, BytesMut};

/// One message in up to three pieces, so that file data is never copied into a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Encoded {
    /// Header, body and small data. Its first 64 bytes are the SMB2 header.
    pub head: BytesMut,
    /// Bulk data that follows at once, often empty.
    pub payload: Bytes,
    /// How many zeros follow (at most 7): padding before the next message of a compound. They
    /// count as part of this message where it is signed.
    pub padding: usize,
}

/// What padding consists of.
const ZEROS: [u8; 8] = [0; 8];

impl Encoded {
    /// How many bytes go out.
    pub fn len(&self) -> usize {
        self.head.len() + self.payload.len() + self.padding
    }

    /// True if no byte goes out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces in order; empty ones included.
    pub fn chunks(&self) -> [&[u8]; 3] {
        [&self.head, &self.payload, &ZEROS[..self.padding.min(ZEROS.len())]]
    }

    /// All in one piece: what encryption and tests need. Copies unless there is only the head.
    pub fn to_bytes(self) -> Bytes {
        if self.payload.is_empty() && self.padding == 0 {
            return self.head.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for chunk in self.chunks() {
            whole.extend_from_slice(chunk);
        }
        whole.freeze()
    }
}
