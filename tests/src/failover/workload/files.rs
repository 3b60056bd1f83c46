//! Which files there are, and what stands in their blocks.

use bytes::Bytes;

use super::super::history::{At, Block, Event, Stamp};
use super::Around;

/// Blocks of every file but the created ones, which have one.
pub const BLOCKS: u32 = 6;
/// The block of a file of a client's own that it keeps locked all the time.
pub const LOCKED_BLOCK: u32 = 0;
/// Files that all clients use.
pub const SHARED_FILES: u64 = 3;

const LARGE: u32 = 64 << 10;
const SMALL: u32 = 4 << 10;

impl Around {
    /// The file of a client's own.
    pub fn own_file(&self, client: u64) -> String {
        format!("r{}-own-{client}", self.round)
    }

    pub fn shared_file(&self, number: u64) -> String {
        format!("r{}-shared-{number}", self.round)
    }

    /// A file that nobody else ever uses.
    pub fn created_file(&self, client: u64, number: u64) -> String {
        format!("r{}-created-{client}-{number}", self.round)
    }

    /// One of very many files that a client only holds open.
    pub fn held_file(&self, client: u64, number: u64) -> String {
        format!("r{}-held-{client}-{number}", self.round)
    }
}

/// How long a file's blocks are, in bytes. A file with one writer has longer ones, which are harder
/// to write whole.
pub fn block_size(file: &str) -> u32 {
    if file.contains("-own-") { LARGE } else { SMALL }
}

/// A block full of a stamp.
pub fn block_of(stamp: Stamp, size: u32) -> Bytes {
    stamp.0.to_le_bytes().repeat(size as usize / 8).into()
}

/// The stamp of a block; what is beyond the end was never written. An error tells what stands in
/// it, if it holds more than one stamp or only part of one.
pub fn stamp_of(data: &[u8], size: u32) -> Result<Stamp, String> {
    if data.is_empty() {
        return Ok(Stamp(0));
    }
    if data.len() != size as usize {
        return Err(format!("{} of {size} bytes", data.len()));
    }
    let stamp =
        |word: &[u8]| word.try_into().map_or(Stamp(0), |word| Stamp(u64::from_le_bytes(word)));
    let first = stamp(&data[..8]);
    match data.chunks(8).position(|word| stamp(word) != first) {
        None => Ok(first),
        Some(at) => {
            let other = stamp(&data[at * 8..at * 8 + 8]);
            Err(format!("{first:?}, and from byte {} on {other:?}", at * 8))
        }
    }
}

/// A whole file's content as reads of its blocks.
pub fn blocks_of(file: &str, data: &[u8], invoked: At) -> Vec<Event> {
    let size = block_size(file);
    let blocks = (0..).zip(data.chunks(size as usize)).map(|(index, data)| {
        let block = Block { file: file.to_owned(), index };
        match stamp_of(data, size) {
            Ok(stamp) => Event::ReadReturned { block, stamp, invoked, cached: false },
            Err(what) => Event::TornBlock { block, invoked, what },
        }
    });
    // What is beyond the end was never written.
    let beyond = (data.len() as u32).div_ceil(size)..BLOCKS;
    let nothing = beyond.map(|index| {
        let block = Block { file: file.to_owned(), index };
        Event::ReadReturned { block, stamp: Stamp(0), invoked, cached: false }
    });
    blocks.chain(nothing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_are_told_from_torn_ones() {
        let old = block_of(Stamp(5), 4096);
        assert_eq!(stamp_of(&old, 4096), Ok(Stamp(5)));
        assert_eq!(stamp_of(&[], 4096), Ok(Stamp(0)));
        assert!(stamp_of(&old[..512], 4096).is_err());
        let mut torn = old.to_vec();
        torn[2048..].copy_from_slice(&block_of(Stamp(6), 2048));
        assert_eq!(stamp_of(&torn, 4096), Err("0.5, and from byte 2048 on 0.6".to_owned()));
    }

    #[test]
    fn a_file_is_all_its_blocks() {
        let data = [block_of(Stamp(5), 4096), block_of(Stamp(6), 512)].concat();
        let events = blocks_of("r1-shared-0", &data, At::ZERO);
        assert_eq!(events.len(), BLOCKS as usize);
        assert!(matches!(events[0], Event::ReadReturned { stamp: Stamp(5), .. }));
        assert!(matches!(events[1], Event::TornBlock { .. }));
        assert!(matches!(events[2], Event::ReadReturned { stamp: Stamp(0), .. }));
    }
}
