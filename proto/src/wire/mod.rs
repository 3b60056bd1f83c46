//! Reading and writing of little-endian wire structures.
//!
//! Invariants: no read goes past the bytes that were given; nothing here allocates more than the
//! input is long; a broken message is a [`DecodeError`], never a panic. Bulk data stays where it
//! arrived: it is handed on as a slice of the same [`bytes::Bytes`].

mod decode_error;
mod encoded;
mod entry_list;
mod open_enum;
mod reader;
mod utf16;
mod writer;

pub use decode_error::DecodeError;
pub use encoded::Encoded;
pub use entry_list::{EntryListReader, EntryListWriter};
pub(crate) use open_enum::open_enum;
pub use reader::Reader;
pub use utf16::{decode_utf16, utf16_len};
pub use writer::{Slot16, Slot32, Writer};

/// The longest run of UTF-16 text, in bytes, that any decoder turns into a `String`: more than
/// any path that a server accepts, and the most that a 16-bit length can tell.
pub const MAX_NAME_BYTES: usize = 65_535;
