//! AV_PAIR lists ([MS-NLMP] 2.2.2.1): what the server tells about itself, and what the client
//! sends back of it under its signature.

use crate::types::FileTime;
use crate::types::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Writer, open_enum};

/// More pairs than the specification knows kinds of them, by far.
const MAX_PAIRS: usize = 64;

open_enum! {
    /// AvId.
    AvId: u16 {
        EOL = 0;
        NB_COMPUTER_NAME = 1;
        NB_DOMAIN_NAME = 2;
        DNS_COMPUTER_NAME = 3;
        DNS_DOMAIN_NAME = 4;
        DNS_TREE_NAME = 5;
        FLAGS = 6;
        TIMESTAMP = 7;
        SINGLE_HOST = 8;
        TARGET_NAME = 9;
        CHANNEL_BINDINGS = 10;
    }
}

wire_flags! {
    /// MsvAvFlags.
    AvFlags: u32 {
        CONSTRAINED = 0x1;
        MIC_PRESENT = 0x2;
        UNTRUSTED_SPN = 0x4;
    }
}

/// A list of pairs in the order in which they stand; the end mark is not one of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AvPairs(Vec<(AvId, Vec<u8>)>);

impl AvPairs {
    /// An empty list.
    pub fn new() -> AvPairs {
        AvPairs::default()
    }

    /// Reads up to and with the end mark. Pairs of unknown kinds are kept.
    pub fn decode(r: &mut Reader<'_>) -> Result<AvPairs, DecodeError> {
        let mut pairs = AvPairs::new();
        loop {
            let id = AvId(r.u16()?);
            let length = usize::from(r.u16()?);
            if id == AvId::EOL {
                return if length == 0 { Ok(pairs) } else { Err(DecodeError::Length) };
            }
            if pairs.0.len() == MAX_PAIRS {
                return Err(DecodeError::TooManyEntries);
            }
            pairs.0.push((id, r.take(length)?.to_vec()));
        }
    }

    /// Writes the pairs and the end mark.
    pub fn encode(&self, w: &mut Writer) {
        for (id, value) in &self.0 {
            w.u16(id.0);
            let length = w.slot16();
            let written = w.measured(|w| w.bytes(value));
            w.fill16(length, written);
        }
        w.u16(AvId::EOL.0);
        w.u16(0);
    }

    /// The first pair of this kind, raw.
    pub fn get(&self, id: AvId) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| *found == id).map(|(_, value)| value.as_slice())
    }

    /// The first pair of this kind, as text. `None` if it is missing or is no text.
    pub fn text(&self, id: AvId) -> Option<String> {
        Reader::new(self.get(id)?).text().ok()
    }

    /// MsvAvTimestamp.
    pub fn timestamp(&self) -> Option<FileTime> {
        self.get(AvId::TIMESTAMP)
            .and_then(|value| Some(FileTime(u64::from_le_bytes(value.try_into().ok()?))))
    }

    /// MsvAvFlags; none set if the pair is missing or has another size.
    pub fn flags(&self) -> AvFlags {
        self.get(AvId::FLAGS)
            .and_then(|value| Some(AvFlags(u32::from_le_bytes(value.try_into().ok()?))))
            .unwrap_or(AvFlags::NONE)
    }

    /// Puts a pair in place of all of its kind, or at the end.
    pub fn set(&mut self, id: AvId, value: Vec<u8>) {
        match self.0.iter().position(|(found, _)| *found == id) {
            Some(first) => {
                self.0[first].1 = value;
                let mut seen = false;
                self.0.retain(|(found, _)| *found != id || !core::mem::replace(&mut seen, true));
            }
            None => self.0.push((id, value)),
        }
    }

    /// As [`AvPairs::set`], with text.
    pub fn set_text(&mut self, id: AvId, text: &str) {
        let mut w = Writer::new();
        w.utf16(text);
        self.set(id, w.into_bytes().to_vec());
    }

    /// Sets MsvAvTimestamp.
    pub fn set_timestamp(&mut self, time: FileTime) {
        self.set(AvId::TIMESTAMP, time.0.to_le_bytes().to_vec());
    }

    /// Sets MsvAvFlags.
    pub fn set_flags(&mut self, flags: AvFlags) {
        self.set(AvId::FLAGS, flags.bits().to_le_bytes().to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let mut pairs = AvPairs::new();
        pairs.set_text(AvId::NB_DOMAIN_NAME, "Dömäin");
        pairs.set_timestamp(FileTime(0x1234_5678_9ABC_DEF0));
        pairs.set(AvId(0x77), vec![1, 2, 3]);
        pairs.set_flags(AvFlags::CONSTRAINED);
        pairs.set_flags(AvFlags::MIC_PRESENT);
        let mut w = Writer::new();
        pairs.encode(&mut w);
        let bytes = w.into_bytes();
        let mut r = Reader::new(&bytes);
        let decoded = AvPairs::decode(&mut r).unwrap();
        assert!(r.is_empty());
        assert_eq!(decoded, pairs);
        assert_eq!(decoded.text(AvId::NB_DOMAIN_NAME).as_deref(), Some("Dömäin"));
        assert_eq!(decoded.timestamp(), Some(FileTime(0x1234_5678_9ABC_DEF0)));
        assert_eq!(decoded.flags(), AvFlags::MIC_PRESENT);
        for length in 0..bytes.len() {
            assert!(AvPairs::decode(&mut Reader::new(&bytes[..length])).is_err());
        }
    }

    #[test]
    fn lists_without_end_are_bounded() {
        let bytes = [9u8, 0, 0, 0].repeat(10_000);
        let decoded = AvPairs::decode(&mut Reader::new(&bytes));
        assert_eq!(decoded, Err(DecodeError::TooManyEntries));
    }
}
