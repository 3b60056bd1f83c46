//! NDR ([C706] chapter 14), as far as these interfaces need it: integers, pointers that may be
//! null, and strings of 16-bit characters.
//!
//! Alignment counts from the first byte of the stub.

use crate::wire::{DecodeError, Reader, Writer};

/// Reads a stub.
pub(super) struct NdrReader<'a>(Reader<'a>);

impl<'a> NdrReader<'a> {
    pub(super) fn new(stub: &'a [u8]) -> NdrReader<'a> {
        NdrReader(Reader::new(stub))
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.0.align(4);
        self.0.u32()
    }

    /// True if what the pointer points to follows. The value of a referent means nothing.
    pub(super) fn pointer(&mut self) -> Result<bool, DecodeError> {
        self.u32().map(|referent| referent != 0)
    }

    /// A string with its null, which is taken off.
    pub(super) fn string(&mut self) -> Result<String, DecodeError> {
        let maximum = self.u32()?;
        let offset = self.u32()?;
        let count = self.u32()?;
        if offset != 0 || count > maximum {
            return Err(DecodeError::Length);
        }
        let length = (count as usize).checked_mul(2).ok_or(DecodeError::Length)?;
        let text = self.0.utf16(length)?;
        match text.strip_suffix('\0') {
            Some(text) if !text.contains('\0') => Ok(text.to_owned()),
            _ => Err(DecodeError::Value),
        }
    }

    /// A pointer and the string behind it, for a parameter of its own.
    pub(super) fn unique_string(&mut self) -> Result<Option<String>, DecodeError> {
        if self.pointer()? { self.string().map(Some) } else { Ok(None) }
    }

    /// A pointer and the number behind it, for a parameter of its own.
    pub(super) fn unique_u32(&mut self) -> Result<Option<u32>, DecodeError> {
        if self.pointer()? { self.u32().map(Some) } else { Ok(None) }
    }
}

/// Writes a stub.
pub(super) struct NdrWriter {
    w: Writer,
    referents: u32,
}

impl NdrWriter {
    pub(super) fn new() -> NdrWriter {
        NdrWriter { w: Writer::with_capacity(256), referents: 0 }
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.w.align(4);
        self.w.u32(value);
    }

    /// A pointer: a number never used before, or 0. What it points to follows by the rules of
    /// where the pointer stands.
    pub(super) fn pointer(&mut self, present: bool) {
        let referent = if present {
            self.referents += 1;
            0x0002_0000 + 4 * (self.referents - 1)
        } else {
            0
        };
        self.u32(referent);
    }

    /// A string with its null. Any null within ends it, as it would for the reader.
    pub(super) fn string(&mut self, text: &str) {
        let text = text.split('\0').next().unwrap_or_default();
        let count = (crate::wire::utf16_len(text) / 2 + 1) as u32;
        self.u32(count);
        self.u32(0);
        self.u32(count);
        self.w.utf16(text);
        self.w.u16(0);
    }

    /// A pointer and the number behind it, for a parameter of its own.
    pub(super) fn unique_u32(&mut self, value: Option<u32>) {
        self.pointer(value.is_some());
        if let Some(value) = value {
            self.u32(value);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.w.into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_aligned_and_terminated() {
        let mut w = NdrWriter::new();
        w.pointer(true);
        w.string("ab");
        w.pointer(false);
        w.unique_u32(Some(7));
        let stub = w.finish();
        assert_eq!(stub[..16], [0, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(stub[16..24], [b'a', 0, b'b', 0, 0, 0, 0, 0]);
        let mut r = NdrReader::new(&stub);
        assert_eq!(r.unique_string().unwrap().as_deref(), Some("ab"));
        assert_eq!(r.unique_string(), Ok(None));
        assert_eq!(r.unique_u32(), Ok(Some(7)));
        assert_eq!(r.u32(), Err(DecodeError::Truncated));
    }

    #[test]
    fn counts_that_lie() {
        for (counts, error) in [
            ([1, 0, 2], DecodeError::Length),
            ([2, 1, 1], DecodeError::Length),
            ([9, 0, 9], DecodeError::Truncated),
            ([u32::MAX, 0, u32::MAX], DecodeError::Truncated),
            ([0, 0, 0], DecodeError::Value),
        ] {
            let mut bytes: Vec<u8> =
                counts.iter().flat_map(|count| u32::to_le_bytes(*count)).collect();
            bytes.extend_from_slice(&[b'a', 0, 0, 0]);
            assert_eq!(NdrReader::new(&bytes).string(), Err(error), "{counts:?}");
        }
    }
}
