//! FileBothDirectoryInformation ([MS-FSCC] 2.4.8).

use super::{
    DirectoryEntry, decode_common, decode_short_name, encode_common, encode_name, encode_short_name,
};
use crate::wire::{DecodeError, Reader, Writer};

pub(super) fn encode(entry: &DirectoryEntry, w: &mut Writer) {
    encode_common(entry, w);
    encode_name(entry, w, |w| {
        w.u32(entry.ea_size);
        encode_short_name(entry, w);
    });
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<DirectoryEntry, DecodeError> {
    let mut entry = decode_common(r)?;
    let length = r.u32()? as usize;
    entry.ea_size = r.u32()?;
    entry.short_name = decode_short_name(r)?;
    entry.name = r.utf16(length)?;
    Ok(entry)
}
