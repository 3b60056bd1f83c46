//! FileStreamInformation ([MS-FSCC] 2.4.49): the list of a file's streams.

use crate::info::{Fit, Information};
use crate::wire::{DecodeError, EntryListReader, EntryListWriter, Reader, Writer};

/// More streams than a file may have.
const MAX_STREAMS: usize = 65_536;

/// One stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamEntry {
    /// `::$DATA` for the unnamed one, `:name:$DATA` for others.
    pub name: String,
    /// Bytes of data.
    pub size: u64,
    /// Bytes set aside.
    pub allocation_size: u64,
}

/// All streams of a file: none for a directory without named ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileStreamInformation(pub Vec<StreamEntry>);

impl Information for FileStreamInformation {
    const MINIMUM: usize = 32;

    fn encode(&self, w: &mut Writer) {
        w.nested(|w| {
            let mut list = EntryListWriter::new(8);
            for stream in &self.0 {
                list.push(w, |w| encode_entry(w, stream));
            }
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileStreamInformation, DecodeError> {
        let list = r.sub(r.remaining())?;
        let mut streams = Vec::new();
        for entry in EntryListReader::new(list) {
            if streams.len() == MAX_STREAMS {
                return Err(DecodeError::TooManyEntries);
            }
            streams.push(decode_entry(entry?)?);
        }
        Ok(FileStreamInformation(streams))
    }

    /// Cuts between entries, so that what a client gets is a list.
    fn fit(&self, limit: usize) -> Fit {
        if limit < Self::MINIMUM {
            return Fit::TooSmall;
        }
        let mut w = Writer::new();
        let mut list = EntryListWriter::new(8);
        let whole =
            self.0.iter().all(|stream| list.try_push(&mut w, limit, |w| encode_entry(w, stream)));
        if whole { Fit::Whole(w.into_bytes()) } else { Fit::Cut(w.into_bytes()) }
    }
}

fn encode_entry(w: &mut Writer, stream: &StreamEntry) {
    let length = w.slot32();
    w.u64(stream.size);
    w.u64(stream.allocation_size);
    let written = w.measured(|w| w.utf16(&stream.name));
    w.fill32(length, written);
}

fn decode_entry(mut r: Reader<'_>) -> Result<StreamEntry, DecodeError> {
    let length = r.u32()? as usize;
    let size = r.u64()?;
    let allocation_size = r.u64()?;
    Ok(StreamEntry { name: r.utf16(length)?, size, allocation_size })
}
