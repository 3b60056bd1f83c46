//! Lists whose entries begin with NextEntryOffset: directory listings, extended attributes,
//! streams, change notifications ([MS-FSCC] 2.4, 2.7).

use super::{DecodeError, Reader, Slot32, Writer};

/// Walks a list. Each entry is a reader of its own that begins at NextEntryOffset and ends where
/// the next entry begins, so an entry cannot reach into its neighbour.
#[derive(Debug)]
pub struct EntryListReader<'a> {
    rest: Option<Reader<'a>>,
}

impl<'a> EntryListReader<'a> {
    /// Over everything that is left in `list`. No byte at all is an empty list.
    pub fn new(mut list: Reader<'a>) -> EntryListReader<'a> {
        let left = list.remaining();
        let rest = if left == 0 { None } else { list.sub(left).ok() };
        EntryListReader { rest }
    }

    /// The next entry, positioned behind its NextEntryOffset.
    fn step(&mut self, list: Reader<'a>) -> Result<Reader<'a>, DecodeError> {
        let mut entry = list;
        let next = entry.u32()? as usize;
        if next == 0 {
            return Ok(entry);
        }
        // An offset within the fixed field would never end.
        if next < 4 {
            return Err(DecodeError::Offset);
        }
        let left = list.remaining().checked_sub(next).ok_or(DecodeError::Offset)?;
        self.rest = Some(list.at(next, left)?);
        let mut bounded = list.at(0, next)?;
        bounded.skip(4)?;
        Ok(bounded)
    }
}

impl<'a> Iterator for EntryListReader<'a> {
    type Item = Result<Reader<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let list = self.rest.take()?;
        let entry = self.step(list);
        if entry.is_err() {
            self.rest = None;
        }
        Some(entry)
    }
}

/// Writes a list, each entry aligned and chained to the one before it.
#[derive(Debug)]
pub struct EntryListWriter {
    alignment: usize,
    /// NextEntryOffset of the last entry, and where that entry begins.
    last: Option<(Slot32, usize)>,
}

impl EntryListWriter {
    /// An empty list whose entries begin at multiples of `alignment`, counted from the
    /// structure that the writer is in.
    pub fn new(alignment: usize) -> EntryListWriter {
        EntryListWriter { alignment, last: None }
    }

    /// True if no entry was written.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Appends one entry: `content` writes what follows NextEntryOffset.
    pub fn push(&mut self, w: &mut Writer, content: impl FnOnce(&mut Writer)) {
        self.try_push(w, usize::MAX, content);
    }

    /// Appends one entry unless the writer would then hold more than `limit` bytes in all;
    /// returns whether it did. A refused entry leaves the list as it was.
    pub fn try_push(
        &mut self,
        w: &mut Writer,
        limit: usize,
        content: impl FnOnce(&mut Writer),
    ) -> bool {
        let before = w.len();
        if self.last.is_some() {
            w.align(self.alignment);
        }
        let start = w.position();
        let next = w.slot32();
        content(w);
        if w.len() > limit {
            w.truncate(before);
            return false;
        }
        if let Some((slot, last_start)) = self.last.replace((next, start)) {
            w.fill32(slot, start - last_start);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_chain_and_come_back() {
        let mut w = Writer::new();
        let mut list = EntryListWriter::new(8);
        for text in [b"a".as_slice(), b"bcdef", b""] {
            list.push(&mut w, |w| w.bytes(text));
        }
        let bytes = w.into_bytes();
        assert_eq!(bytes.len(), 8 + 16 + 4);
        let entries: Vec<_> = EntryListReader::new(Reader::new(&bytes))
            .map(|entry| entry.map(|mut e| e.rest().to_vec()))
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(entries, [b"a\0\0\0".to_vec(), b"bcdef\0\0\0\0\0\0\0".to_vec(), vec![]]);
    }

    #[test]
    fn an_entry_over_the_limit_leaves_the_list_as_it_was() {
        let mut w = Writer::new();
        let mut list = EntryListWriter::new(8);
        assert!(list.try_push(&mut w, 16, |w| w.u16(1)));
        assert!(!list.try_push(&mut w, 16, |w| w.bytes(&[0; 9])));
        assert_eq!(w.into_bytes().as_ref(), [0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn broken_chains_end() {
        for bytes in [&[1u8, 0, 0, 0, 0, 0][..], &[200, 0, 0, 0, 0], &[8, 0]] {
            let mut entries = EntryListReader::new(Reader::new(bytes));
            assert!(entries.next().unwrap().is_err());
            assert!(entries.next().is_none());
        }
    }
}
