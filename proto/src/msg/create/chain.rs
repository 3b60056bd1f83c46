//! The chain that create contexts hang in ([MS-SMB2] 2.2.13.2).

use crate::wire::{DecodeError, Reader, Slot32, Writer};

/// How long the fixed part of a context is.
const FIXED_SIZE: usize = 16;
/// More contexts than any peer has reason to send.
const MAX_CONTEXTS: usize = 64;

/// Calls `each` with name and data of every context. Each context ends where the next one begins,
/// so none can reach into its neighbour.
pub(super) fn decode<'a>(
    mut list: Reader<'a>,
    mut each: impl FnMut(Reader<'a>, Reader<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    if list.is_empty() {
        return Ok(());
    }
    for _ in 0..MAX_CONTEXTS {
        let mut fixed = list;
        let next = fixed.u32()? as usize;
        let (name_offset, name_length) = (usize::from(fixed.u16()?), usize::from(fixed.u16()?));
        fixed.skip(2)?;
        let (data_offset, data_length) = (usize::from(fixed.u16()?), fixed.u32()? as usize);
        let length = match next {
            0 => list.remaining(),
            _ if !next.is_multiple_of(8) => return Err(DecodeError::Misaligned),
            _ if next < FIXED_SIZE || next >= list.remaining() => return Err(DecodeError::Offset),
            _ => next,
        };
        let mut context = list.sub(length)?;
        context.skip(FIXED_SIZE)?;
        each(context.part(name_offset, name_length)?, context.part(data_offset, data_length)?)?;
        if next == 0 {
            return Ok(());
        }
        list = list.sub(list.remaining())?;
    }
    Err(DecodeError::TooManyEntries)
}

/// Writes contexts one after the other and chains them.
#[derive(Default)]
pub(super) struct ChainWriter {
    /// Next of the last context, and where that context begins.
    last: Option<(Slot32, usize)>,
}

impl ChainWriter {
    /// Appends a context.
    pub(super) fn push(&mut self, w: &mut Writer, name: &[u8], content: impl FnOnce(&mut Writer)) {
        w.align(8);
        let start = w.position();
        let next = w.slot32();
        if let Some((slot, last_start)) = self.last.replace((next, start)) {
            w.fill32(slot, start - last_start);
        }
        w.u16(FIXED_SIZE as u16);
        w.u16(u16::try_from(name.len()).unwrap_or(u16::MAX));
        w.u16(0);
        let data_offset = w.slot16();
        let data_length = w.slot32();
        w.bytes(name);
        let name_end = w.len();
        w.align(8);
        let data_start = w.position() - start;
        let length = w.measured(content);
        if length == 0 {
            // Without data there is no padding behind the name and no offset either.
            w.truncate(name_end);
            return;
        }
        w.fill16(data_offset, data_start);
        w.fill32(data_length, length);
    }
}
