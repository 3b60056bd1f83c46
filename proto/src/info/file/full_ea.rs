//! FileFullEaInformation and FileGetEaInformation ([MS-FSCC] 2.4.16, 2.4.16.1): extended
//! attributes, in a list of their own, in SET_INFO and in a context of CREATE.

use crate::info::{Fit, Information};
use crate::wire::{DecodeError, EntryListReader, EntryListWriter, Reader, Writer};

/// More attributes than fit into the 64 KiB that a file may have of them.
const MAX_ATTRIBUTES: usize = 8_192;

/// FILE_NEED_EA: who does not understand the attribute must not open the file.
pub const NEED_EA: u8 = 0x80;

/// One extended attribute.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EaEntry {
    /// [`NEED_EA`] or nothing.
    pub flags: u8,
    /// 1 to 254 characters of an 8-bit set; without regard to case.
    pub name: Vec<u8>,
    /// The value; when set, an empty one takes the attribute away.
    pub value: Vec<u8>,
}

/// A list of extended attributes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFullEaInformation(pub Vec<EaEntry>);

impl Information for FileFullEaInformation {
    const MINIMUM: usize = 12;

    fn encode(&self, w: &mut Writer) {
        w.nested(|w| {
            let mut list = EntryListWriter::new(4);
            for entry in &self.0 {
                list.push(w, |w| encode_entry(w, entry));
            }
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileFullEaInformation, DecodeError> {
        let list = r.sub(r.remaining())?;
        let mut entries = Vec::new();
        for entry in EntryListReader::new(list) {
            if entries.len() == MAX_ATTRIBUTES {
                return Err(DecodeError::TooManyEntries);
            }
            entries.push(decode_entry(entry?)?);
        }
        Ok(FileFullEaInformation(entries))
    }

    /// Cuts between entries; a buffer that does not even hold the first gets none.
    fn fit(&self, limit: usize) -> Fit {
        let mut w = Writer::new();
        let count = self.encode_within(&mut w, limit);
        if count == self.0.len() { Fit::Whole(w.into_bytes()) } else { Fit::Cut(w.into_bytes()) }
    }
}

impl FileFullEaInformation {
    /// The entries from the beginning that fit into `limit` bytes, and how many they are: a
    /// query that is cut is cut between entries.
    pub fn encode_within(&self, w: &mut Writer, limit: usize) -> usize {
        let limit = w.len().saturating_add(limit);
        let mut count = 0;
        w.nested(|w| {
            let mut list = EntryListWriter::new(4);
            count = self
                .0
                .iter()
                .take_while(|entry| list.try_push(w, limit, |w| encode_entry(w, entry)))
                .count();
        });
        count
    }
}

/// A name longer than its length can tell is cut: the reader then finds no such attribute,
/// rather than another entry's bytes.
fn encode_entry(w: &mut Writer, entry: &EaEntry) {
    let name = &entry.name[..entry.name.len().min(usize::from(u8::MAX))];
    let value = &entry.value[..entry.value.len().min(usize::from(u16::MAX))];
    w.u8(entry.flags);
    w.u8(name.len() as u8);
    w.u16(value.len() as u16);
    w.bytes(name);
    w.u8(0);
    w.bytes(value);
}

fn decode_entry(mut r: Reader<'_>) -> Result<EaEntry, DecodeError> {
    let flags = r.u8()?;
    let name_length = usize::from(r.u8()?);
    let value_length = usize::from(r.u16()?);
    let name = decode_name(&mut r, name_length)?;
    Ok(EaEntry { flags, name, value: r.take(value_length)?.to_vec() })
}

/// The name and the null that ends it.
fn decode_name(r: &mut Reader<'_>, length: usize) -> Result<Vec<u8>, DecodeError> {
    let name = r.take(length)?.to_vec();
    if r.u8()? != 0 {
        return Err(DecodeError::Value);
    }
    Ok(name)
}

/// FileGetEaInformation: the names that a query asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileGetEaInformation(pub Vec<Vec<u8>>);

impl Information for FileGetEaInformation {
    const MINIMUM: usize = 8;

    fn encode(&self, w: &mut Writer) {
        w.nested(|w| {
            let mut list = EntryListWriter::new(4);
            for name in &self.0 {
                list.push(w, |w| {
                    let name = &name[..name.len().min(usize::from(u8::MAX))];
                    w.u8(name.len() as u8);
                    w.bytes(name);
                    w.u8(0);
                });
            }
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileGetEaInformation, DecodeError> {
        let list = r.sub(r.remaining())?;
        let mut names = Vec::new();
        for entry in EntryListReader::new(list) {
            if names.len() == MAX_ATTRIBUTES {
                return Err(DecodeError::TooManyEntries);
            }
            let mut entry = entry?;
            let length = usize::from(entry.u8()?);
            names.push(decode_name(&mut entry, length)?);
        }
        Ok(FileGetEaInformation(names))
    }
}
