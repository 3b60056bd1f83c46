//! FileNamesInformation ([MS-FSCC] 2.4.33).

use super::{DirectoryEntry, encode_name};
use crate::wire::{DecodeError, Reader, Writer};

pub(super) fn encode(entry: &DirectoryEntry, w: &mut Writer) {
    w.u32(entry.file_index);
    encode_name(entry, w, |_| ());
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<DirectoryEntry, DecodeError> {
    let file_index = r.u32()?;
    let length = r.u32()? as usize;
    Ok(DirectoryEntry { file_index, name: r.utf16(length)?, ..DirectoryEntry::default() })
}
