//! The ERROR response and its data.
//!
//! Spec: [MS-SMB2] 2.2.2

use bytes::Bytes;

use super::{Message, body};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

const STRUCTURE_SIZE: u16 = 9;
/// More contexts than any status has use for.
const MAX_CONTEXTS: u8 = 16;
/// "SYML".
const SYMLINK_ERROR_TAG: u32 = 0x4C4D_5953;
const REPARSE_TAG_SYMLINK: u32 = 0xA000_000C;
const SYMLINK_FLAG_RELATIVE: u32 = 1;

open_enum! {
    /// What an error context holds.
    ErrorId: u32 {
        DEFAULT = 0x0000_0000;
        SHARE_REDIRECT = 0x7264_5253;
    }
}

/// One error context (3.1.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorContext {
    /// What the data is.
    pub error_id: ErrorId,
    /// The data.
    pub data: Bytes,
}

/// A request that failed, or an interim response.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ErrorResponse {
    /// Error contexts; only 3.1.1 knows them.
    pub contexts: Vec<ErrorContext>,
    /// ErrorData where there are no contexts.
    pub data: Bytes,
}

impl ErrorResponse {
    /// With `data`, in the form that the dialect has: in a context for 3.1.1.
    pub fn with_data(data: Bytes, in_context: bool) -> ErrorResponse {
        if in_context {
            let context = ErrorContext { error_id: ErrorId::DEFAULT, data };
            ErrorResponse { contexts: vec![context], data: Bytes::new() }
        } else {
            ErrorResponse { contexts: Vec::new(), data }
        }
    }

    /// The data for BUFFER_TOO_SMALL: how long the buffer has to be.
    pub fn required_length(length: u32, in_context: bool) -> ErrorResponse {
        ErrorResponse::with_data(Bytes::copy_from_slice(&length.to_le_bytes()), in_context)
    }

    /// The data, whichever form it came in.
    pub fn error_data(&self) -> &Bytes {
        match self.contexts.iter().find(|context| context.error_id == ErrorId::DEFAULT) {
            Some(context) => &context.data,
            None => &self.data,
        }
    }
}

fn contexts(mut r: Reader<'_>, count: u8) -> Result<Vec<ErrorContext>, DecodeError> {
    if count > MAX_CONTEXTS {
        return Err(DecodeError::TooManyEntries);
    }
    let mut contexts = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        // ErrorData begins 8 bytes into the response, so its own start is aligned.
        r.align(8);
        let length = r.u32()? as usize;
        let error_id = ErrorId(r.u32()?);
        contexts.push(ErrorContext { error_id, data: r.sub(length)?.shared() });
    }
    Ok(contexts)
}

impl Message for ErrorResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(STRUCTURE_SIZE)?;
        let count = r.u8()?;
        r.skip(1)?;
        let byte_count = r.u32()? as usize;
        let mut data = r.sub(byte_count)?;
        if count == 0 {
            return Ok(ErrorResponse { contexts: Vec::new(), data: data.shared() });
        }
        Ok(ErrorResponse { contexts: contexts(data, count)?, data: Bytes::new() })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(STRUCTURE_SIZE);
        w.u8(u8::try_from(self.contexts.len()).unwrap_or(u8::MAX));
        w.u8(0);
        let byte_count = w.slot32();
        let length = w.nested(|w| {
            if self.contexts.is_empty() {
                w.bytes(&self.data);
            }
            for context in &self.contexts {
                w.align(8);
                w.u32(context.data.len() as u32);
                w.u32(context.error_id.0);
                w.bytes(&context.data);
            }
        });
        w.fill32(byte_count, length);
        if length == 0 {
            // The structure size counts one byte of data, and clients look for it.
            w.u8(0);
        }
    }
}

/// The data of STOPPED_ON_SYMLINK ([MS-SMB2] 2.2.2.2.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SymlinkError {
    /// How many bytes of the path's UTF-16 form lie behind the link.
    pub unparsed_path_length: u16,
    /// Where the link leads.
    pub substitute_name: String,
    /// The same for people.
    pub print_name: String,
    /// The target is relative to the folder that holds the link.
    pub relative: bool,
}

impl SymlinkError {
    /// Reads the error data.
    pub fn decode(data: &[u8]) -> Result<SymlinkError, DecodeError> {
        let mut r = Reader::new(data);
        let length = r.u32()? as usize;
        let mut r = r.sub(length)?;
        if r.u32()? != SYMLINK_ERROR_TAG || r.u32()? != REPARSE_TAG_SYMLINK {
            return Err(DecodeError::Value);
        }
        let reparse_length = r.u16()?;
        let unparsed_path_length = r.u16()?;
        let mut r = r.sub(usize::from(reparse_length))?;
        let substitute = (usize::from(r.u16()?), usize::from(r.u16()?));
        let print = (usize::from(r.u16()?), usize::from(r.u16()?));
        let flags = r.u32()?;
        let buffer = r.sub(r.remaining())?;
        Ok(SymlinkError {
            unparsed_path_length,
            substitute_name: buffer.at(substitute.0, substitute.1)?.text()?,
            print_name: buffer.at(print.0, print.1)?.text()?,
            relative: flags & SYMLINK_FLAG_RELATIVE != 0,
        })
    }

    /// The error data.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::new();
        let length = w.slot32();
        let written = w.measured(|w| {
            w.u32(SYMLINK_ERROR_TAG);
            w.u32(REPARSE_TAG_SYMLINK);
            let reparse_length = w.slot16();
            w.u16(self.unparsed_path_length);
            let reparse = w.measured(|w| self.encode_reparse(w));
            w.fill16(reparse_length, reparse);
        });
        w.fill32(length, written);
        w.into_bytes()
    }

    fn encode_reparse(&self, w: &mut Writer) {
        let (substitute_offset, substitute_length) = (w.slot16(), w.slot16());
        let (print_offset, print_length) = (w.slot16(), w.slot16());
        w.u32(if self.relative { SYMLINK_FLAG_RELATIVE } else { 0 });
        let substitute = w.measured(|w| w.utf16(&self.substitute_name));
        let print = w.measured(|w| w.utf16(&self.print_name));
        w.fill16(substitute_offset, 0);
        w.fill16(substitute_length, substitute);
        w.fill16(print_offset, substitute);
        w.fill16(print_length, print);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symlink_errors_survive_and_break_cleanly() {
        let error = SymlinkError {
            unparsed_path_length: 0x2E,
            substitute_name: "..\\DonHall\\PDocs".into(),
            print_name: "..\\DonHall".into(),
            relative: true,
        };
        let bytes = error.to_bytes();
        assert_eq!(SymlinkError::decode(&bytes), Ok(error));
        for length in 0..bytes.len() {
            assert!(SymlinkError::decode(&bytes[..length]).is_err());
        }
    }
}
