//! Builds one message, or one structure that goes into a message.
//!
//! Offsets that are known only later are reserved as slots. A slot holds zero until it is filled,
//! can be filled once, and can only be made by the writer, so an offset is never counted by hand.

use bytes::{Bytes, BytesMut};

use super::{Encoded, utf16_len};
use crate::types::{FileTime, Guid};

/// A 16-bit field to be filled in later.
#[must_use = "a slot that is never filled stays zero"]
#[derive(Debug)]
pub struct Slot16(usize);

/// A 32-bit field to be filled in later.
#[must_use = "a slot that is never filled stays zero"]
#[derive(Debug)]
pub struct Slot32(usize);

/// Appends little-endian fields. Bulk data that ends a message is attached, not copied.
#[derive(Debug, Default)]
pub struct Writer {
    head: BytesMut,
    /// Where the innermost structure begins: offsets and alignment count from here.
    base: usize,
    payload: Bytes,
}

macro_rules! integer {
    ($(#[$meta:meta])* $name:ident, $int:ty, $to:ident) => {
        $(#[$meta])*
        #[inline]
        pub fn $name(&mut self, value: $int) {
            self.head.extend_from_slice(&value.$to());
        }
    };
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// An empty writer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Writer {
        Writer { head: BytesMut::with_capacity(capacity), base: 0, payload: Bytes::new() }
    }

    /// An empty writer with room for most messages, so that few of them grow it.
    pub fn for_message() -> Writer {
        Writer::with_capacity(512)
    }

    /// Where the next field goes, counted from the first byte of the innermost structure.
    #[inline]
    pub fn position(&self) -> usize {
        self.head.len() - self.base
    }

    /// How many bytes were written in all, without the attached payload.
    pub fn len(&self) -> usize {
        self.head.len()
    }

    /// True if nothing was written.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// Takes back everything that was written after `len` bytes in all.
    pub fn truncate(&mut self, len: usize) {
        self.head.truncate(len);
    }

    integer!(
        /// One byte.
        u8, u8, to_le_bytes
    );
    integer!(
        /// 16 bits.
        u16, u16, to_le_bytes
    );
    integer!(
        /// 32 bits.
        u32, u32, to_le_bytes
    );
    integer!(
        /// 64 bits.
        u64, u64, to_le_bytes
    );
    integer!(
        /// 64 bits with a sign.
        i64, i64, to_le_bytes
    );
    integer!(
        /// 16 bits, big-endian.
        u16_be, u16, to_be_bytes
    );
    integer!(
        /// 32 bits, big-endian.
        u32_be, u32, to_be_bytes
    );

    /// Bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head.extend_from_slice(bytes);
    }

    /// A GUID in wire order.
    #[inline]
    pub fn guid(&mut self, guid: Guid) {
        self.bytes(&guid.0);
    }

    /// A FILETIME.
    #[inline]
    pub fn file_time(&mut self, time: FileTime) {
        self.u64(time.0);
    }

    /// `count` zeros.
    pub fn zeros(&mut self, count: usize) {
        self.head.resize(self.head.len() + count, 0);
    }

    /// Zeros up to the next multiple of `alignment`, counted from the innermost structure.
    pub fn align(&mut self, alignment: usize) {
        let position = self.position();
        self.zeros(position.next_multiple_of(alignment) - position);
    }

    /// Text in UTF-16LE, without a length and without a terminator.
    pub fn utf16(&mut self, text: &str) {
        self.head.reserve(utf16_len(text));
        if text.is_ascii() {
            let start = self.head.len();
            self.head.resize(start + text.len() * 2, 0);
            for (unit, byte) in self.head[start..].chunks_exact_mut(2).zip(text.bytes()) {
                unit[0] = byte;
            }
        } else {
            for unit in text.encode_utf16() {
                self.u16(unit);
            }
        }
    }

    /// Reserves a 16-bit field.
    pub fn slot16(&mut self) -> Slot16 {
        self.u16(0);
        Slot16(self.head.len() - 2)
    }

    /// Reserves a 32-bit field.
    pub fn slot32(&mut self) -> Slot32 {
        self.u32(0);
        Slot32(self.head.len() - 4)
    }

    /// Fills a reserved field. A value that does not fit becomes the largest one: a length that
    /// the peer refuses, never one that it believes.
    pub fn fill16(&mut self, slot: Slot16, value: usize) {
        let value = u16::try_from(value).unwrap_or(u16::MAX);
        self.head[slot.0..slot.0 + 2].copy_from_slice(&value.to_le_bytes());
    }

    /// Fills a reserved field, as [`Writer::fill16`] does.
    pub fn fill32(&mut self, slot: Slot32, value: usize) {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.head[slot.0..slot.0 + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Fills `slot` with the current position.
    pub fn fill16_here(&mut self, slot: Slot16) {
        self.fill16(slot, self.position());
    }

    /// Fills `slot` with the current position.
    pub fn fill32_here(&mut self, slot: Slot32) {
        self.fill32(slot, self.position());
    }

    /// Runs `content` and returns how many bytes it wrote.
    pub fn measured(&mut self, content: impl FnOnce(&mut Writer)) -> usize {
        let before = self.head.len();
        content(self);
        self.head.len() - before
    }

    /// Runs `content` as a structure of its own, whose offsets and alignment count from here;
    /// returns how many bytes it wrote.
    pub fn nested(&mut self, content: impl FnOnce(&mut Writer)) -> usize {
        let outer = core::mem::replace(&mut self.base, self.head.len());
        content(self);
        let length = self.position();
        self.base = outer;
        length
    }

    /// Attaches the bulk data that ends the message, without copying it.
    pub fn attach(&mut self, payload: Bytes) {
        self.payload = payload;
    }

    /// The finished message.
    pub fn into_encoded(self) -> Encoded {
        Encoded { head: self.head, payload: self.payload, padding: 0 }
    }

    /// The finished structure in one piece.
    pub fn into_bytes(self) -> Bytes {
        if self.payload.is_empty() {
            return self.head.freeze();
        }
        self.into_encoded().to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_zero_until_filled() {
        let mut w = Writer::new();
        let offset = w.slot16();
        let length = w.slot32();
        w.align(8);
        w.fill16_here(offset);
        let written = w.measured(|w| w.utf16("aΩ"));
        w.fill32(length, written);
        assert_eq!(w.into_bytes().as_ref(), [8, 0, 4, 0, 0, 0, 0, 0, b'a', 0, 0xA9, 0x03]);
        let mut w = Writer::new();
        let _ = w.slot32();
        assert_eq!(w.into_bytes().as_ref(), [0; 4]);
    }

    #[test]
    fn what_does_not_fit_is_never_believed() {
        let mut w = Writer::new();
        let slot = w.slot16();
        w.fill16(slot, 70_000);
        assert_eq!(w.into_bytes().as_ref(), [0xFF, 0xFF]);
    }

    #[test]
    fn nested_structures_count_from_their_own_start() {
        let mut w = Writer::new();
        w.bytes(&[1, 2, 3]);
        let length = w.nested(|w| {
            w.u8(9);
            w.align(4);
            assert_eq!(w.position(), 4);
        });
        assert_eq!((length, w.position()), (4, 7));
    }

    #[test]
    fn payload_is_attached_and_not_copied() {
        let payload = Bytes::from(vec![7; 4]);
        let mut w = Writer::new();
        w.u16(1);
        w.attach(payload.clone());
        let encoded = w.into_encoded();
        assert_eq!(encoded.payload.as_ptr(), payload.as_ptr());
        assert_eq!(encoded.to_bytes().as_ref(), [1, 0, 7, 7, 7, 7]);
    }
}
