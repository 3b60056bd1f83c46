//! FileDirectoryInformation ([MS-FSCC] 2.4.10).

use super::{DirectoryEntry, decode_common, encode_common, encode_name};
use crate::wire::{DecodeError, Reader, Writer};

pub(super) fn encode(entry: &DirectoryEntry, w: &mut Writer) {
    encode_common(entry, w);
    encode_name(entry, w, |_| ());
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<DirectoryEntry, DecodeError> {
    let mut entry = decode_common(r)?;
    let length = r.u32()? as usize;
    entry.name = r.utf16(length)?;
    Ok(entry)
}
