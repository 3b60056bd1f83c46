//! Segment files: their names, their headers, and walking through their records.
//!
//! A segment's header, 64 bytes: magic (8), format version (u32), zero (u32), cluster id (16), node
//! (u64), sequence number (u64), length of the opening records (u32), zeros, CRC-32C of all that (u32
//! at 60). Segments are numbered from 1 without gaps, and their names are those numbers in
//! hexadecimal. The opening records (vote and marks) follow; they and the header were durable before
//! the segment had its name.

use super::record::{self, ALIGN, BadRecord, Found};
use super::{WalError, WalIdentity};

/// Bytes before the first record.
pub(super) const HEADER: usize = 64;
const MAGIC: [u8; 8] = *b"HFWALSEG";
const VERSION: u32 = 1;
const CHECKED: usize = 60;
/// What a segment is called until its beginning is durable.
pub(super) const UNFINISHED: &str = "next.tmp";

/// The file name of a segment.
pub(super) fn name(sequence: u64) -> String {
    format!("{sequence:016x}.wal")
}

/// The sequence number in a file name, if it is a segment's.
pub(super) fn sequence(file: &str) -> Option<u64> {
    let sequence = u64::from_str_radix(file.strip_suffix(".wal")?, 16).ok()?;
    (name(sequence) == file).then_some(sequence)
}

/// A segment's header. Its opening records take `opening` bytes.
pub(super) fn header(identity: WalIdentity, sequence: u64, opening: u32) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[0..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..32].copy_from_slice(&identity.cluster);
    bytes[32..40].copy_from_slice(&identity.node.to_le_bytes());
    bytes[40..48].copy_from_slice(&sequence.to_le_bytes());
    bytes[48..52].copy_from_slice(&opening.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..CHECKED]);
    bytes[CHECKED..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What the checksums of a segment's records begin with: different for every segment of every node.
pub(super) fn salt(identity: WalIdentity, sequence: u64) -> u32 {
    // Without the header's own checksum: over a text and its checksum every CRC gives the same.
    crc32c::crc32c(&header(identity, sequence, 0)[..CHECKED])
}

/// Checks that `bytes` is the segment `sequence` of `identity`. Returns where its opening records
/// end.
///
/// # Errors
/// `Corrupt` if it is no segment's begin at all, `Foreign` if it is another log's.
fn check_header(bytes: &[u8], identity: WalIdentity, sequence: u64) -> Result<usize, WalError> {
    let file = name(sequence);
    let Some(found) = bytes.get(..HEADER) else {
        return Err(WalError::corrupt(
            &file,
            bytes.len() as u64,
            "the segment's header is cut off",
        ));
    };
    let number = |at: usize| u32::from_le_bytes(found[at..at + 4].try_into().expect("four bytes"));
    let (opening, crc) = (number(48), number(CHECKED));
    if found == header(identity, sequence, opening) {
        return Ok(HEADER + opening as usize);
    }
    if found[0..8] != MAGIC || crc32c::crc32c(&found[..CHECKED]) != crc {
        return Err(WalError::corrupt(&file, 0, "the segment's header is damaged"));
    }
    let version = number(8);
    if version != VERSION {
        return Err(WalError::corrupt(&file, 8, format!("format version {version} is unknown")));
    }
    let whose = WalIdentity {
        cluster: found[16..32].try_into().expect("sixteen bytes"),
        node: u64::from_le_bytes(found[32..40].try_into().expect("eight bytes")),
    };
    if whose != identity {
        return Err(WalError::Foreign { file, found: whose, expected: identity });
    }
    Err(WalError::corrupt(&file, 40, "the segment carries another segment's number"))
}

/// How a walk through a segment ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its last byte.
    Clean,
    /// With a write that did not become durable, beginning here; nothing behind it was durable.
    Torn { at: usize },
}

/// Walks through all records of a segment, whose bytes these are, header included. `last` says that
/// it is the log's last segment, which alone may have a torn tail.
///
/// # Errors
/// `Corrupt` if something durable is damaged, `Foreign` if the segment is another log's, and whatever
/// `visit` returns.
pub(super) fn walk(
    bytes: &[u8],
    identity: WalIdentity,
    sequence: u64,
    last: bool,
    mut visit: impl FnMut(usize, Found) -> Result<(), WalError>,
) -> Result<End, WalError> {
    let opening = check_header(bytes, identity, sequence)?;
    let file = name(sequence);
    let salt = salt(identity, sequence);
    let mut at = HEADER;
    while at < bytes.len().max(opening) {
        match record::decode(bytes, 0, at, salt) {
            Ok(found) => {
                let end = found.end;
                visit(at, found)?;
                at = end;
            }
            Err(BadRecord::Unknown) => {
                let reason = "an intact record of an unknown kind";
                return Err(WalError::corrupt(&file, at as u64, reason));
            }
            Err(BadRecord::Unreadable) if at < opening => {
                let reason = "a bad record among those that the segment began with";
                return Err(WalError::corrupt(&file, at as u64, reason));
            }
            Err(BadRecord::Unreadable) if last => {
                if let Some(behind) = later_group(bytes, at, salt) {
                    let reason = format!("a bad record, with a later write intact at {behind}");
                    return Err(WalError::corrupt(&file, at as u64, reason));
                }
                return Ok(End::Torn { at });
            }
            Err(BadRecord::Unreadable) => {
                let reason = "a bad record in a segment that has a successor";
                return Err(WalError::corrupt(&file, at as u64, reason));
            }
        }
    }
    Ok(End::Clean)
}

/// Where behind the bad record at `bad` a record stands whose group began after it: proof that what
/// stood at `bad` had been synced.
fn later_group(bytes: &[u8], bad: usize, salt: u32) -> Option<usize> {
    (bad + ALIGN..bytes.len())
        .step_by(ALIGN)
        .find(|&at| record::decode(bytes, 0, at, salt).is_ok_and(|found| found.group > bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_number() {
        for sequence in [0, 1, 255, u64::MAX] {
            assert_eq!(super::sequence(&name(sequence)), Some(sequence));
        }
        for other in
            ["", ".wal", "1.wal", "000000000000000g.wal", "+00000000000001.wal", UNFINISHED]
        {
            assert_eq!(super::sequence(other), None, "{other}");
        }
    }

    #[test]
    fn salts_differ() {
        let identity = WalIdentity { cluster: [7; 16], node: 3 };
        let other = WalIdentity { node: 4, ..identity };
        assert_ne!(salt(identity, 1), salt(identity, 2));
        assert_ne!(salt(identity, 1), salt(other, 1));
    }

    #[test]
    fn a_header_names_its_log() {
        let identity = WalIdentity { cluster: [7; 16], node: 3 };
        let bytes = header(identity, 9, 80);
        assert_eq!(check_header(&bytes, identity, 9).unwrap(), HEADER + 80);
        let other = WalIdentity { node: 4, ..identity };
        assert!(matches!(check_header(&bytes, other, 9), Err(WalError::Foreign { .. })));
        assert!(matches!(check_header(&bytes, identity, 8), Err(WalError::Corrupt { .. })));
        assert!(matches!(check_header(&bytes[..63], identity, 9), Err(WalError::Corrupt { .. })));
        let mut damaged = bytes;
        damaged[20] ^= 1;
        assert!(matches!(check_header(&damaged, identity, 9), Err(WalError::Corrupt { .. })));
    }
}
