//! The bytes of one record.
//!
//! ```text
//! 0   u32  length of the body
//! 4   u32  CRC-32C of: the segment's salt, the record's own offset, all other fields, the body
//! 8   u8   kind
//! 9   3    zero
//! 12  u32  how far back the record's group begins; 0 for the first of a group
//! 16       body, then zeros up to a multiple of 8
//! ```
//! All numbers are little-endian. The checksum covers where the record stands, so an old record that
//! shows up elsewhere (in another segment's freed blocks, say) is never taken for a real one.

use bytes::Bytes;

use super::{LogEntry, Position, VoteMark};

/// Bytes before a record's body.
pub(super) const HEADER: usize = 16;
/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 8;
/// The largest body of an entry, in bytes.
pub const MAX_BODY: usize = 64 << 20;
/// Index and term stand before an entry's body.
const ENTRY_PREFIX: usize = 16;
const MAX_LENGTH: usize = MAX_BODY + ENTRY_PREFIX;

const ENTRY: u8 = 1;
const VOTE: u8 = 2;
const TRUNCATE: u8 = 3;
const PURGE: u8 = 4;
const COMMIT: u8 = 5;
const TAIL: u8 = 6;

/// One record, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Entry(LogEntry),
    Vote(VoteMark),
    /// The entries from this index on are gone.
    Truncate {
        first: u64,
    },
    /// The entries up to and including this are gone.
    Purge(Position),
    Commit(Position),
    /// At the begin of a segment: the last entry that the segments before it held.
    Tail {
        index: u64,
    },
}

/// A record found in a segment.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) record: Record,
    /// Where its group begins. Everything before that was synced when the record was written.
    pub(super) group: usize,
    /// Where the next record begins.
    pub(super) end: usize,
}

/// Why there is no record at an offset.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadRecord {
    /// Not written, or not wholly, or damaged.
    Unreadable,
    /// Intact, but not of this version of the format.
    Unknown,
}

/// Appends `record` to `out`, whose first byte stands at `base` in the segment; the group begins at
/// `group`. Returns the record's offset in the segment.
pub(super) fn encode(out: &mut Vec<u8>, base: u64, group: u64, salt: u32, record: &Record) -> u64 {
    debug_assert!(out.len().is_multiple_of(ALIGN));
    let start = out.len();
    let offset = base + start as u64;
    out.extend_from_slice(&[0; HEADER]);
    let kind = encode_body(out, record);
    let length = (out.len() - start - HEADER) as u32;
    // A group is one write of a few megabytes, far below 4 GiB.
    let back = (offset - group) as u32;
    let header = &mut out[start..start + HEADER];
    header[0..4].copy_from_slice(&length.to_le_bytes());
    header[8] = kind;
    header[12..16].copy_from_slice(&back.to_le_bytes());
    let crc = checksum(salt, offset, &out[start..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    out.resize(out.len().next_multiple_of(ALIGN), 0);
    offset
}

fn encode_body(out: &mut Vec<u8>, record: &Record) -> u8 {
    let position = |out: &mut Vec<u8>, position: &Position| {
        out.extend_from_slice(&position.index.to_le_bytes());
        out.extend_from_slice(&position.term.to_le_bytes());
    };
    match record {
        Record::Entry(entry) => {
            position(out, &entry.position);
            out.extend_from_slice(&entry.body);
            ENTRY
        }
        Record::Vote(vote) => {
            out.extend_from_slice(&vote.term.to_le_bytes());
            out.extend_from_slice(&vote.node.to_le_bytes());
            out.push(u8::from(vote.committed));
            VOTE
        }
        Record::Truncate { first } => {
            out.extend_from_slice(&first.to_le_bytes());
            TRUNCATE
        }
        Record::Purge(upto) => {
            position(out, upto);
            PURGE
        }
        Record::Commit(upto) => {
            position(out, upto);
            COMMIT
        }
        Record::Tail { index } => {
            out.extend_from_slice(&index.to_le_bytes());
            TAIL
        }
    }
}

/// The checksum of a record that stands at `offset`; its own field is left out.
fn checksum(salt: u32, offset: u64, record: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(salt, &offset.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &record[0..4]);
    crc32c::crc32c_append(crc, &record[8..])
}

/// Decodes the record at `at` in a segment's bytes. `bytes` begins at the segment's offset `base`.
pub(super) fn decode(bytes: &[u8], base: u64, at: usize, salt: u32) -> Result<Found, BadRecord> {
    let rest = bytes.get(at..).ok_or(BadRecord::Unreadable)?;
    let (length, back) = read_header(rest, base + at as u64).ok_or(BadRecord::Unreadable)?;
    let padded = (HEADER + length).next_multiple_of(ALIGN);
    let record = rest.get(..padded).ok_or(BadRecord::Unreadable)?;
    let record = &record[..HEADER + length];
    if checksum(salt, base + at as u64, record) != u32_at(record, 4) {
        return Err(BadRecord::Unreadable);
    }
    let decoded = decode_body(record[8], &record[HEADER..]).ok_or(BadRecord::Unknown)?;
    Ok(Found {
        record: decoded,
        group: (base as usize + at).saturating_sub(back),
        end: at + padded,
    })
}

/// Length of the body and distance to the group's begin, if they make sense for a record at `offset`.
fn read_header(rest: &[u8], offset: u64) -> Option<(usize, usize)> {
    let header = rest.get(..HEADER)?;
    let length = u32_at(header, 0) as usize;
    let back = u32_at(header, 12);
    let plausible = length <= MAX_LENGTH
        && length <= rest.len()
        && header[8] != 0
        && header[9..12] == [0; 3]
        && u64::from(back) <= offset;
    plausible.then_some((length, back as usize))
}

fn decode_body(kind: u8, body: &[u8]) -> Option<Record> {
    let position = |body: &[u8]| Position { index: u64_at(body, 0), term: u64_at(body, 8) };
    match (kind, body.len()) {
        (ENTRY, ENTRY_PREFIX..) => Some(Record::Entry(LogEntry {
            position: position(body),
            body: Bytes::copy_from_slice(&body[ENTRY_PREFIX..]),
        })),
        (VOTE, 17) if body[16] <= 1 => Some(Record::Vote(VoteMark {
            term: u64_at(body, 0),
            node: u64_at(body, 8),
            committed: body[16] == 1,
        })),
        (TRUNCATE, 8) => Some(Record::Truncate { first: u64_at(body, 0) }),
        (PURGE, 16) => Some(Record::Purge(position(body))),
        (COMMIT, 16) => Some(Record::Commit(position(body))),
        (TAIL, 8) => Some(Record::Tail { index: u64_at(body, 0) }),
        _ => None,
    }
}

/// How many bytes a record of an entry with such a body takes.
pub(super) fn entry_size(body: usize) -> usize {
    (HEADER + ENTRY_PREFIX + body).next_multiple_of(ALIGN)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let position = Position { term: 3, index: 77 };
        vec![
            Record::Entry(LogEntry { position, body: Bytes::from_static(b"hello") }),
            Record::Entry(LogEntry { position, body: Bytes::new() }),
            Record::Vote(VoteMark { term: 4, node: 2, committed: true }),
            Record::Truncate { first: 9 },
            Record::Purge(position),
            Record::Commit(position),
            Record::Tail { index: 12 },
        ]
    }

    #[test]
    fn records_come_back_as_they_were() {
        let mut bytes = Vec::new();
        for record in &records() {
            encode(&mut bytes, 64, 64, 5, record);
        }
        let mut at = 0;
        for record in &records() {
            let found = decode(&bytes, 64, at, 5).unwrap();
            assert_eq!((&found.record, found.group), (record, 64));
            at = found.end;
        }
        assert_eq!(at, bytes.len());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for record in &records() {
            let mut bytes = Vec::new();
            encode(&mut bytes, 640, 64, 5, record);
            let length = HEADER + u32_at(&bytes, 0) as usize;
            for bit in 0..length * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(&flipped, 640, 0, 5).is_err(), "{record:?} bit {bit}");
            }
        }
    }

    #[test]
    fn a_record_elsewhere_is_none() {
        let mut bytes = vec![0; 8];
        encode(&mut bytes, 56, 64, 5, &records()[0]);
        assert!(decode(&bytes, 56, 8, 5).is_ok());
        assert!(decode(&bytes, 64, 8, 5).is_err(), "another offset");
        assert!(decode(&bytes, 56, 8, 6).is_err(), "another segment");
        for cut in 8..bytes.len() {
            assert!(decode(&bytes[..cut], 56, 8, 5).is_err(), "cut at {cut}");
        }
    }
}
