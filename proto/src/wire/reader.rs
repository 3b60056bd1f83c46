//! A cursor over one structure's bytes.
//!
//! Invariant: `position <= bytes.len()`. Offsets of [`Reader::at`] count from the first of the
//! reader's bytes; a [`Reader::sub`] reader counts from its own first byte and cannot see past
//! its length, so no nested length is trusted twice.

use bytes::Bytes;

use super::{DecodeError, decode_utf16};
use crate::types::{FileTime, Guid};

/// Reads little-endian fields one after the other, and structures by offset.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The buffer that `bytes` lie in, if it can be shared.
    owner: Option<&'a Bytes>,
}

macro_rules! integer {
    ($(#[$meta:meta])* $name:ident, $int:ty, $from:ident) => {
        $(#[$meta])*
        #[inline]
        pub fn $name(&mut self) -> Result<$int, DecodeError> {
            Ok(<$int>::$from(self.array()?))
        }
    };
}

impl<'a> Reader<'a> {
    /// Over plain bytes; [`Reader::shared`] copies.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, position: 0, owner: None }
    }

    /// Over a buffer that [`Reader::shared`] takes slices of without copying.
    pub fn of(buffer: &'a Bytes) -> Reader<'a> {
        Reader { bytes: buffer, position: 0, owner: Some(buffer) }
    }

    /// Where the next field is read, counted from the reader's first byte.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// True if no byte is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// All bytes of the reader, the ones already read included.
    pub fn whole(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes[self.position..].first_chunk::<N>() {
            Some(array) => {
                self.position += N;
                Ok(*array)
            }
            None => Err(DecodeError::Truncated),
        }
    }

    /// The next `length` bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        match self.bytes[self.position..].get(..length) {
            Some(bytes) => {
                self.position += length;
                Ok(bytes)
            }
            None => Err(DecodeError::Truncated),
        }
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.position..];
        self.position = self.bytes.len();
        rest
    }

    /// Passes over `length` bytes that mean nothing.
    #[inline]
    pub fn skip(&mut self, length: usize) -> Result<(), DecodeError> {
        self.take(length).map(|_| ())
    }

    /// Passes over padding up to the next multiple of `alignment`; padding may be missing at the
    /// end.
    pub fn align(&mut self, alignment: usize) {
        let aligned = self.position.next_multiple_of(alignment);
        self.position = aligned.min(self.bytes.len());
    }

    integer!(
        /// One byte.
        u8, u8, from_le_bytes
    );
    integer!(
        /// 16 bits.
        u16, u16, from_le_bytes
    );
    integer!(
        /// 32 bits.
        u32, u32, from_le_bytes
    );
    integer!(
        /// 64 bits.
        u64, u64, from_le_bytes
    );
    integer!(
        /// 64 bits with a sign.
        i64, i64, from_le_bytes
    );
    integer!(
        /// 16 bits, big-endian.
        u16_be, u16, from_be_bytes
    );
    integer!(
        /// 32 bits, big-endian.
        u32_be, u32, from_be_bytes
    );

    /// A GUID in wire order.
    #[inline]
    pub fn guid(&mut self) -> Result<Guid, DecodeError> {
        self.array().map(Guid)
    }

    /// A FILETIME.
    #[inline]
    pub fn file_time(&mut self) -> Result<FileTime, DecodeError> {
        self.u64().map(FileTime)
    }

    /// UTF-16LE text of `length` bytes.
    pub fn utf16(&mut self, length: usize) -> Result<String, DecodeError> {
        decode_utf16(self.take(length)?)
    }

    /// The next `length` bytes as a reader of their own.
    pub fn sub(&mut self, length: usize) -> Result<Reader<'a>, DecodeError> {
        Ok(Reader { bytes: self.take(length)?, position: 0, owner: self.owner })
    }

    /// `length` bytes at `offset` from the reader's first byte, as a reader of their own.
    pub fn at(&self, offset: usize, length: usize) -> Result<Reader<'a>, DecodeError> {
        let end = offset.checked_add(length).ok_or(DecodeError::Offset)?;
        let bytes = self.bytes.get(offset..end).ok_or(DecodeError::Offset)?;
        Ok(Reader { bytes, position: 0, owner: self.owner })
    }

    /// As [`Reader::at`], for a variable part that may not begin before what was read already.
    /// An empty part may point anywhere: peers leave such offsets undefined.
    pub fn part(&self, offset: usize, length: usize) -> Result<Reader<'a>, DecodeError> {
        if length == 0 {
            return Ok(Reader { bytes: &[], position: 0, owner: None });
        }
        if offset < self.position {
            return Err(DecodeError::Offset);
        }
        self.at(offset, length)
    }

    /// Everything that is left, shared with the buffer that it arrived in.
    pub fn shared(&mut self) -> Bytes {
        let rest = self.rest();
        match self.owner {
            _ if rest.is_empty() => Bytes::new(),
            Some(owner) => owner.slice_ref(rest),
            None => Bytes::copy_from_slice(rest),
        }
    }

    /// Everything that is left, as UTF-16LE text.
    pub fn text(&mut self) -> Result<String, DecodeError> {
        decode_utf16(self.rest())
    }

    /// Reads StructureSize and compares it.
    pub fn structure_size(&mut self, expected: u16) -> Result<(), DecodeError> {
        let found = self.u16()?;
        if found != expected {
            return Err(DecodeError::StructureSize { expected, found });
        }
        Ok(())
    }

    /// Refuses what follows the last field, where nothing may.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order_and_end_with_the_bytes() {
        let mut r = Reader::new(&[1, 2, 0, 3, 0, 0, 0, 9]);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.u16(), Ok(2));
        assert_eq!(r.u32(), Ok(3));
        assert_eq!(r.u16(), Err(DecodeError::Truncated));
        assert_eq!(r.finish(), Err(DecodeError::TrailingBytes));
        assert_eq!(r.rest(), [9]);
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn a_sub_reader_sees_only_its_own_bytes() {
        let mut r = Reader::new(&[0, 1, 2, 3, 4]);
        r.skip(1).unwrap();
        let mut sub = r.sub(2).unwrap();
        assert_eq!(sub.at(0, 1).unwrap().rest(), [1]);
        assert!(matches!(sub.at(1, 2), Err(DecodeError::Offset)));
        assert_eq!(sub.u32(), Err(DecodeError::Truncated));
        assert_eq!(r.u8(), Ok(3));
    }

    #[test]
    fn offsets_are_checked_without_wrapping() {
        let r = Reader::new(&[0; 8]);
        assert!(matches!(r.at(usize::MAX, 2), Err(DecodeError::Offset)));
        assert!(matches!(r.at(7, 2), Err(DecodeError::Offset)));
        assert!(r.at(8, 0).is_ok());
        assert!(r.part(1000, 0).unwrap().is_empty());
    }

    #[test]
    fn a_part_does_not_reach_back_into_the_fixed_fields() {
        let mut r = Reader::new(&[0; 8]);
        r.u32().unwrap();
        assert!(matches!(r.part(3, 1), Err(DecodeError::Offset)));
        assert!(r.part(4, 4).is_ok());
    }

    #[test]
    fn shared_bytes_are_not_copied() {
        let buffer = Bytes::from(vec![1, 2, 3, 4]);
        let slice = Reader::of(&buffer).at(1, 2).unwrap().shared();
        assert_eq!(slice.as_ptr(), buffer[1..].as_ptr());
        assert_eq!(slice.as_ref(), [2, 3]);
    }
}
