//! FileIdFullDirectoryInformation ([MS-FSCC] 2.4.24).

use super::{DirectoryEntry, decode_common, encode_common, encode_name};
use crate::wire::{DecodeError, Reader, Writer};

pub(super) fn encode(entry: &DirectoryEntry, w: &mut Writer) {
    encode_common(entry, w);
    encode_name(entry, w, |w| {
        w.u32(entry.ea_size);
        w.u32(0);
        w.u64(entry.file_id as u64);
    });
}

pub(super) fn decode(r: &mut Reader<'_>) -> Result<DirectoryEntry, DecodeError> {
    let mut entry = decode_common(r)?;
    let length = r.u32()? as usize;
    entry.ea_size = r.u32()?;
    r.skip(4)?;
    entry.file_id = u128::from(r.u64()?);
    entry.name = r.utf16(length)?;
    Ok(entry)
}
