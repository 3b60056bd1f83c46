//! DOS attributes and creation time as Samba keeps them with a file, in `user.DOSATTRIB`, so that
//! a tree can go from one server to the other.
//!
//! The value is NDR, little-endian: an ASCII string ended by NUL (older versions keep the
//! attributes in it, as hexadecimal digits), then from the next even offset a 16-bit version, the
//! version again as the tag of a union, and from the next multiple of four its fields. Versions
//! 1 to 5 are read, version 5 is written. A value that makes no sense counts as absent.

use holdfast_proto::types::{FileAttributes, FileTime};

/// The extended attribute.
pub(super) const DOS_ATTRIBUTE: &str = "user.DOSATTRIB";

const VALID_ATTRIBUTES: u32 = 0x01;
const VALID_CREATION: u32 = 0x10;

/// What the value tells; a field that is not marked as valid is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct DosAttributes {
    /// Attributes.
    pub attributes: Option<FileAttributes>,
    /// CreationTime.
    pub creation: Option<FileTime>,
}

impl DosAttributes {
    /// Version 5.
    pub(super) fn encode(self) -> Vec<u8> {
        let mut valid = 0;
        if self.attributes.is_some() {
            valid |= VALID_ATTRIBUTES;
        }
        if self.creation.is_some() {
            valid |= VALID_CREATION;
        }
        let mut bytes = vec![0, 0, 5, 0, 5, 0, 0, 0];
        bytes.extend_from_slice(&u32::to_le_bytes(valid));
        bytes.extend_from_slice(&self.attributes.unwrap_or_default().bits().to_le_bytes());
        bytes.extend_from_slice(&self.creation.unwrap_or_default().0.to_le_bytes());
        bytes
    }

    /// Any version.
    pub(super) fn decode(bytes: &[u8]) -> Option<DosAttributes> {
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let digits = std::str::from_utf8(&bytes[..end]).ok()?;
        let version_at = (end + 1).next_multiple_of(2);
        let fields = Fields { bytes, at: (version_at + 4).next_multiple_of(4) };
        let attributes = |bits| Some(FileAttributes(bits));
        match half(bytes, version_at) {
            // Before there were versions: the digits are all there is.
            None => Some(DosAttributes { attributes: from_digits(digits), creation: None }),
            Some(1) => Some(DosAttributes {
                attributes: attributes(fields.word(0)?),
                creation: fields.time(24),
            }),
            Some(2) => fields.flagged(4, 28),
            Some(3) => fields.flagged(4, 28),
            Some(4) => fields.flagged(4, 16),
            Some(5) => fields.flagged(4, 8),
            Some(_) => None,
        }
    }
}

/// The fields of one version.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn word(&self, offset: usize) -> Option<u32> {
        let at = self.at + offset;
        Some(u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    fn time(&self, offset: usize) -> Option<FileTime> {
        let at = self.at + offset;
        let ticks = u64::from_le_bytes(self.bytes.get(at..at + 8)?.try_into().ok()?);
        (ticks != 0).then_some(FileTime(ticks))
    }

    /// A version that begins with a word telling which fields are valid.
    fn flagged(&self, attributes_at: usize, creation_at: usize) -> Option<DosAttributes> {
        let valid = self.word(0)?;
        let attributes = FileAttributes(self.word(attributes_at)?);
        let creation = self.time(creation_at);
        Some(DosAttributes {
            attributes: (valid & VALID_ATTRIBUTES != 0).then_some(attributes),
            creation: creation.filter(|_| valid & VALID_CREATION != 0),
        })
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn from_digits(digits: &str) -> Option<FileAttributes> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    u32::from_str_radix(digits, 16).ok().map(FileAttributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that a Samba 4.17 wrote: HIDDEN and ARCHIVE, with a creation time.
    fn captured() -> Vec<u8> {
        let mut bytes = vec![0, 0, 5, 0, 5, 0, 0, 0, 0x11, 0, 0, 0, 0x22, 0, 0, 0];
        bytes.extend_from_slice(&0x01dc_5a00_1234_5678_u64.to_le_bytes());
        bytes
    }

    #[test]
    fn version_5_both_ways() {
        let read = DosAttributes::decode(&captured()).unwrap();
        assert_eq!(read.attributes, Some(FileAttributes::HIDDEN | FileAttributes::ARCHIVE));
        assert_eq!(read.creation, Some(FileTime(0x01dc_5a00_1234_5678)));
        assert_eq!(read.encode(), captured());
    }

    #[test]
    fn older_versions() {
        let only_digits = DosAttributes::decode(b"0x21\0").unwrap();
        assert_eq!(only_digits.attributes, Some(FileAttributes(0x21)));
        let mut v3 = vec![0, 0, 3, 0, 3, 0, 0, 0, 0x11, 0, 0, 0, 0x20, 0, 0, 0];
        v3.extend_from_slice(&[0; 20]);
        v3.extend_from_slice(&77u64.to_le_bytes());
        v3.extend_from_slice(&[0; 8]);
        let read = DosAttributes::decode(&v3).unwrap();
        assert_eq!(read.attributes, Some(FileAttributes::ARCHIVE));
        assert_eq!(read.creation, Some(FileTime(77)));
    }

    #[test]
    fn nonsense_is_absent() {
        for bytes in [&b""[..], b"abc", &[0, 0, 9, 0, 9, 0, 0, 0], &[0, 0, 5, 0, 5], &[255, 0]] {
            let read = DosAttributes::decode(bytes).unwrap_or_default();
            assert_eq!(read, DosAttributes::default(), "{bytes:?}");
        }
    }
}
