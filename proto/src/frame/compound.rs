//! Compounds: several messages in one frame, each padded to a multiple of eight ([MS-SMB2]
//! 3.2.4.1.4, 3.3.5.2.7).

use bytes::Bytes;

use crate::header::{HEADER_SIZE, Header};
use crate::wire::{DecodeError, Encoded};

/// Where NextCommand stands in a header.
const NEXT_COMMAND: core::ops::Range<usize> = 20..24;

/// One message of a frame, its padding included: the bytes that its signature covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    pub header: Header,
    pub message: Bytes,
}

/// Takes a frame apart. More than `max_messages` are refused.
pub fn split(frame: &Bytes, max_messages: usize) -> Result<Vec<Part>, DecodeError> {
    let mut parts = Vec::with_capacity(1);
    let mut rest = frame.clone();
    loop {
        if parts.len() == max_messages {
            return Err(DecodeError::TooManyEntries);
        }
        let header = Header::decode(&rest)?;
        let next = header.next_command as usize;
        if next == 0 {
            parts.push(Part { header, message: rest });
            return Ok(parts);
        }
        if !next.is_multiple_of(8) {
            return Err(DecodeError::Misaligned);
        }
        if next < HEADER_SIZE || next >= rest.len() {
            return Err(DecodeError::Offset);
        }
        parts.push(Part { header, message: rest.split_to(next) });
    }
}

/// Chains messages into a compound: sets NextCommand and padding of all but the last one. To be
/// done before anything is signed.
pub fn join(messages: &mut [Encoded]) {
    let Some((_, chained)) = messages.split_last_mut() else {
        return;
    };
    for message in chained {
        let length = message.head.len() + message.payload.len();
        let next = length.next_multiple_of(8);
        message.padding = next - length;
        if let Some(field) = message.head.get_mut(NEXT_COMMAND) {
            field.copy_from_slice(&(next as u32).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcode::Opcode;
    use crate::wire::Writer;

    fn message(id: u64, body: &'static [u8]) -> Encoded {
        let mut w = Writer::new();
        Header::request(Opcode::READ, id).encode(&mut w);
        w.attach(Bytes::from_static(body));
        w.into_encoded()
    }

    fn frame(messages: Vec<Encoded>) -> Bytes {
        messages.into_iter().flat_map(Encoded::to_bytes).collect::<Vec<u8>>().into()
    }

    #[test]
    fn messages_survive_the_compound() {
        let mut messages = vec![message(1, b"abc"), message(2, b"12345678"), message(3, b"z")];
        join(&mut messages);
        assert_eq!([5, 0, 0], [messages[0].padding, messages[1].padding, messages[2].padding]);
        let parts = split(&frame(messages), 3).unwrap();
        let ids: Vec<u64> = parts.iter().map(|part| part.header.message_id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert_eq!(&parts[0].message[HEADER_SIZE..], b"abc\0\0\0\0\0");
        assert_eq!(&parts[2].message[HEADER_SIZE..], b"z");
    }

    #[test]
    fn broken_chains_are_refused() {
        let mut two = vec![message(1, b""), message(2, b"")];
        join(&mut two);
        let whole = frame(two);
        assert_eq!(split(&whole, 1), Err(DecodeError::TooManyEntries));
        for (next, error) in [
            (4u32, DecodeError::Misaligned),
            (8, DecodeError::Offset),
            (128, DecodeError::Offset),
            (u32::MAX - 7, DecodeError::Offset),
            (72, DecodeError::Truncated),
        ] {
            let mut broken = whole.to_vec();
            broken[NEXT_COMMAND].copy_from_slice(&next.to_le_bytes());
            assert_eq!(split(&broken.into(), 8), Err(error), "next {next}");
        }
    }
}
