//! Entries of a directory listing ([MS-FSCC] 2.4): what QUERY_DIRECTORY answers with.
//!
//! All classes tell parts of the same [`DirectoryEntry`]. A [`Listing`] takes entries until one
//! does not fit, and never a part of one.

mod both;
mod full;
mod id_both;
mod id_extd;
mod id_extd_both;
mod id_full;
mod names;
mod plain;

use bytes::Bytes;

use super::FileInformationClass;
use crate::types::{FileAttributes, FileTime};
use crate::wire::{DecodeError, EntryListReader, EntryListWriter, Reader, Writer};

/// More entries than fit into the largest answer.
const MAX_ENTRIES: usize = 1 << 20;

/// Bytes of an 8.3 name's field.
const SHORT_NAME: usize = 24;

/// All that a class may tell about one name in a directory. What a class leaves out is not
/// written, and reads as zero.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DirectoryEntry {
    /// The name, of one component.
    pub name: String,
    /// The 8.3 name, empty if there is none.
    pub short_name: String,
    /// Undefined by most file systems, and 0.
    pub file_index: u32,
    /// When the file was made.
    pub creation_time: FileTime,
    /// When it was last read.
    pub last_access_time: FileTime,
    /// When its data last changed.
    pub last_write_time: FileTime,
    /// When anything about it last changed.
    pub change_time: FileTime,
    /// Bytes of data.
    pub end_of_file: u64,
    /// Bytes set aside.
    pub allocation_size: u64,
    /// Its attributes.
    pub attributes: FileAttributes,
    /// Size of the extended attributes; for a reparse point its tag.
    pub ea_size: u32,
    /// The reparse point's tag, where it has a field of its own.
    pub reparse_tag: u32,
    /// The file's number. Classes with a 64-bit field tell its lower half.
    pub file_id: u128,
}

/// The layouts of a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirectoryClass {
    /// FileDirectoryInformation.
    Plain,
    /// FileFullDirectoryInformation.
    Full,
    /// FileBothDirectoryInformation.
    Both,
    /// FileNamesInformation.
    Names,
    /// FileIdBothDirectoryInformation.
    IdBoth,
    /// FileIdFullDirectoryInformation.
    IdFull,
    /// FileIdExtdDirectoryInformation.
    IdExtd,
    /// FileIdExtdBothDirectoryInformation.
    IdExtdBoth,
}

impl DirectoryClass {
    /// Every layout.
    pub const ALL: [DirectoryClass; 8] = [
        DirectoryClass::Plain,
        DirectoryClass::Full,
        DirectoryClass::Both,
        DirectoryClass::Names,
        DirectoryClass::IdBoth,
        DirectoryClass::IdFull,
        DirectoryClass::IdExtd,
        DirectoryClass::IdExtdBoth,
    ];

    /// The layout of this class, if it is one of a listing.
    pub fn from_class(class: FileInformationClass) -> Option<DirectoryClass> {
        DirectoryClass::ALL.into_iter().find(|layout| layout.class() == class)
    }

    /// The class of this layout.
    pub const fn class(self) -> FileInformationClass {
        match self {
            DirectoryClass::Plain => FileInformationClass::DIRECTORY,
            DirectoryClass::Full => FileInformationClass::FULL_DIRECTORY,
            DirectoryClass::Both => FileInformationClass::BOTH_DIRECTORY,
            DirectoryClass::Names => FileInformationClass::NAMES,
            DirectoryClass::IdBoth => FileInformationClass::ID_BOTH_DIRECTORY,
            DirectoryClass::IdFull => FileInformationClass::ID_FULL_DIRECTORY,
            DirectoryClass::IdExtd => FileInformationClass::ID_EXTD_DIRECTORY,
            DirectoryClass::IdExtdBoth => FileInformationClass::ID_EXTD_BOTH_DIRECTORY,
        }
    }

    /// Bytes of an entry before its name: an output buffer that is smaller is refused with
    /// INFO_LENGTH_MISMATCH.
    pub const fn fixed_size(self) -> usize {
        match self {
            DirectoryClass::Plain => 64,
            DirectoryClass::Full => 68,
            DirectoryClass::Both => 94,
            DirectoryClass::Names => 12,
            DirectoryClass::IdBoth => 104,
            DirectoryClass::IdFull => 80,
            DirectoryClass::IdExtd => 88,
            DirectoryClass::IdExtdBoth => 114,
        }
    }

    fn encode(self, entry: &DirectoryEntry, w: &mut Writer) {
        match self {
            DirectoryClass::Plain => plain::encode(entry, w),
            DirectoryClass::Full => full::encode(entry, w),
            DirectoryClass::Both => both::encode(entry, w),
            DirectoryClass::Names => names::encode(entry, w),
            DirectoryClass::IdBoth => id_both::encode(entry, w),
            DirectoryClass::IdFull => id_full::encode(entry, w),
            DirectoryClass::IdExtd => id_extd::encode(entry, w),
            DirectoryClass::IdExtdBoth => id_extd_both::encode(entry, w),
        }
    }

    fn decode(self, r: &mut Reader<'_>) -> Result<DirectoryEntry, DecodeError> {
        match self {
            DirectoryClass::Plain => plain::decode(r),
            DirectoryClass::Full => full::decode(r),
            DirectoryClass::Both => both::decode(r),
            DirectoryClass::Names => names::decode(r),
            DirectoryClass::IdBoth => id_both::decode(r),
            DirectoryClass::IdFull => id_full::decode(r),
            DirectoryClass::IdExtd => id_extd::decode(r),
            DirectoryClass::IdExtdBoth => id_extd_both::decode(r),
        }
    }
}

/// A listing under construction, bounded by the output buffer that the client offered.
#[derive(Debug)]
pub struct Listing {
    class: DirectoryClass,
    limit: usize,
    writer: Writer,
    list: EntryListWriter,
    count: usize,
}

impl Listing {
    /// An empty listing that will hold at most `limit` bytes.
    pub fn new(class: DirectoryClass, limit: usize) -> Listing {
        Listing { class, limit, writer: Writer::new(), list: EntryListWriter::new(8), count: 0 }
    }

    /// Appends an entry if it fits, and tells whether it did. If the first one does not, the
    /// answer is INFO_LENGTH_MISMATCH or BUFFER_OVERFLOW; otherwise the next listing begins
    /// with it.
    #[must_use]
    pub fn push(&mut self, entry: &DirectoryEntry) -> bool {
        let class = self.class;
        let fits = self.list.try_push(&mut self.writer, self.limit, |w| class.encode(entry, w));
        self.count += usize::from(fits);
        fits
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if it holds none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The finished listing.
    pub fn finish(self) -> Bytes {
        self.writer.into_bytes()
    }
}

/// Reads a whole listing: the client's side.
pub fn decode_listing(
    class: DirectoryClass,
    listing: &[u8],
) -> Result<Vec<DirectoryEntry>, DecodeError> {
    let mut entries = Vec::new();
    for entry in EntryListReader::new(Reader::new(listing)) {
        if entries.len() == MAX_ENTRIES {
            return Err(DecodeError::TooManyEntries);
        }
        entries.push(class.decode(&mut entry?)?);
    }
    Ok(entries)
}

/// FileIndex to FileAttributes: what all layouts but one begin with.
fn encode_common(entry: &DirectoryEntry, w: &mut Writer) {
    w.u32(entry.file_index);
    w.file_time(entry.creation_time);
    w.file_time(entry.last_access_time);
    w.file_time(entry.last_write_time);
    w.file_time(entry.change_time);
    w.u64(entry.end_of_file);
    w.u64(entry.allocation_size);
    w.u32(entry.attributes.0);
}

fn decode_common(r: &mut Reader<'_>) -> Result<DirectoryEntry, DecodeError> {
    Ok(DirectoryEntry {
        file_index: r.u32()?,
        creation_time: r.file_time()?,
        last_access_time: r.file_time()?,
        last_write_time: r.file_time()?,
        change_time: r.file_time()?,
        end_of_file: r.u64()?,
        allocation_size: r.u64()?,
        attributes: FileAttributes(r.u32()?),
        ..DirectoryEntry::default()
    })
}

/// FileNameLength, then what lies between it and the name, then the name.
fn encode_name(entry: &DirectoryEntry, w: &mut Writer, between: impl FnOnce(&mut Writer)) {
    let length = w.slot32();
    between(w);
    let written = w.measured(|w| w.utf16(&entry.name));
    w.fill32(length, written);
}

/// ShortNameLength, a reserved byte, and the field of 24 bytes. A name that does not fit is
/// left out.
fn encode_short_name(entry: &DirectoryEntry, w: &mut Writer) {
    let length = crate::wire::utf16_len(&entry.short_name);
    if length > SHORT_NAME {
        w.zeros(2 + SHORT_NAME);
        return;
    }
    w.u8(length as u8);
    w.u8(0);
    w.utf16(&entry.short_name);
    w.zeros(SHORT_NAME - length);
}

fn decode_short_name(r: &mut Reader<'_>) -> Result<String, DecodeError> {
    let length = usize::from(r.u8()?);
    r.skip(1)?;
    let mut field = r.sub(SHORT_NAME)?;
    if length > SHORT_NAME {
        return Err(DecodeError::Length);
    }
    field.utf16(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> DirectoryEntry {
        DirectoryEntry {
            name: name.to_owned(),
            short_name: "SHORT~1.TXT".to_owned(),
            file_index: 1,
            creation_time: FileTime(2),
            last_access_time: FileTime(3),
            last_write_time: FileTime(4),
            change_time: FileTime(5),
            end_of_file: 6,
            allocation_size: 7,
            attributes: FileAttributes::ARCHIVE,
            ea_size: 8,
            reparse_tag: 9,
            file_id: 10,
        }
    }

    /// What is left of an entry after it went through a layout.
    fn seen_by(class: DirectoryClass, full: &DirectoryEntry) -> DirectoryEntry {
        use DirectoryClass::*;
        let mut seen = full.clone();
        if class == Names {
            return DirectoryEntry {
                name: full.name.clone(),
                file_index: full.file_index,
                ..DirectoryEntry::default()
            };
        }
        if !matches!(class, Both | IdBoth | IdExtdBoth) {
            seen.short_name.clear();
        }
        if class == Plain {
            seen.ea_size = 0;
        }
        if !matches!(class, IdExtd | IdExtdBoth) {
            seen.reparse_tag = 0;
        }
        if matches!(class, Plain | Full | Both) {
            seen.file_id = 0;
        }
        seen
    }

    #[test]
    fn every_layout_both_ways() {
        for class in DirectoryClass::ALL {
            let entries = [entry("a"), entry("größer.txt"), entry("")];
            let mut listing = Listing::new(class, 4096);
            for entry in &entries {
                assert!(listing.push(entry));
            }
            assert_eq!(listing.len(), 3);
            let bytes = listing.finish();
            let first = (class.fixed_size() + 2).next_multiple_of(8);
            assert_eq!(bytes[..4], (first as u32).to_le_bytes(), "{class:?}");
            assert_eq!(bytes.len() % 8, class.fixed_size() % 8, "no padding behind the last");
            let expected: Vec<_> = entries.iter().map(|entry| seen_by(class, entry)).collect();
            assert_eq!(decode_listing(class, &bytes), Ok(expected), "{class:?}");
            assert_eq!(DirectoryClass::from_class(class.class()), Some(class));
        }
        assert_eq!(DirectoryClass::from_class(FileInformationClass::BASIC), None);
    }

    #[test]
    fn an_entry_that_does_not_fit_leaves_the_others() {
        let class = DirectoryClass::IdBoth;
        let whole = class.fixed_size() + 2;
        let mut listing = Listing::new(class, whole - 1);
        assert!(!listing.push(&entry("a")));
        assert!(listing.is_empty());
        let mut listing = Listing::new(class, whole + whole.next_multiple_of(8) - 1);
        assert!(listing.push(&entry("a")));
        assert!(!listing.push(&entry("b")));
        let bytes = listing.finish();
        assert_eq!(bytes.len(), whole);
        assert_eq!(decode_listing(class, &bytes).map(|entries| entries.len()), Ok(1));
    }

    #[test]
    fn truncation_and_mutation() {
        for class in DirectoryClass::ALL {
            let mut listing = Listing::new(class, 4096);
            assert!(listing.push(&entry("one")) && listing.push(&entry("two")));
            let bytes = listing.finish().to_vec();
            for length in 1..bytes.len() {
                assert!(decode_listing(class, &bytes[..length]).is_err(), "{class:?} {length}");
            }
            for position in 0..bytes.len() {
                for value in [1, 8, 0x7F, 0x80, 0xD8, 0xFF] {
                    let mut changed = bytes.clone();
                    changed[position] = value;
                    let _ = decode_listing(class, &changed);
                }
            }
        }
    }
}
