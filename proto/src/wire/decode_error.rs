//! Why bytes are not the message they should be.

use core::fmt;

/// What is wrong with the bytes. Small and cheap: a flood of broken messages costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The message ends before the field does.
    Truncated,
    /// The first bytes are not the protocol's mark.
    ProtocolId,
    /// StructureSize is not the one of this structure.
    StructureSize {
        /// What the specification has.
        expected: u16,
        /// What the message has.
        found: u16,
    },
    /// The command is none of the known ones.
    Opcode(u16),
    /// An offset points outside of the message, or into its fixed part.
    Offset,
    /// A length contradicts another length or the structure that it measures.
    Length,
    /// An offset or length is not aligned as it has to be.
    Misaligned,
    /// Text is not well-formed UTF-16: an odd length or half a surrogate pair.
    Utf16,
    /// Text is longer than any name may be.
    NameTooLong,
    /// A list has more entries than any peer has reason to send.
    TooManyEntries,
    /// A field that decides about the layout of what follows has a value without a layout.
    Value,
    /// Bytes follow where none may.
    TrailingBytes,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("the message is shorter than its fields"),
            DecodeError::ProtocolId => f.write_str("the protocol mark is missing"),
            DecodeError::StructureSize { expected, found } => {
                write!(f, "the structure size is {found} and not {expected}")
            }
            DecodeError::Opcode(code) => write!(f, "command {code:#06x} is unknown"),
            DecodeError::Offset => f.write_str("an offset points outside of its structure"),
            DecodeError::Length => f.write_str("a length contradicts its structure"),
            DecodeError::Misaligned => f.write_str("an offset or length is not aligned"),
            DecodeError::Utf16 => f.write_str("text is not well-formed UTF-16"),
            DecodeError::NameTooLong => f.write_str("a name is too long"),
            DecodeError::TooManyEntries => f.write_str("a list has too many entries"),
            DecodeError::Value => f.write_str("a field's value leaves the layout unknown"),
            DecodeError::TrailingBytes => f.write_str("bytes follow the last field"),
        }
    }
}

impl core::error::Error for DecodeError {}
