//! The three messages of NTLM ([MS-NLMP] 2.2.1).
//!
//! Every variable part is told by a length and an offset from the message's first byte; each is
//! checked against the message before it is looked at. Text is UTF-16: a message of a peer that
//! negotiated nothing but an OEM character set is refused, for nobody could tell which one.

mod authenticate;
mod av_pairs;
mod challenge;
mod negotiate;

use crate::types::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Slot16, Slot32, Writer};

pub(super) use authenticate::MIC;
pub use authenticate::{Authenticate, NtlmV2Response, ResponseKind};
pub use av_pairs::{AvFlags, AvId, AvPairs};
pub use challenge::{Challenge, challenge_flags};
pub use negotiate::Negotiate;

#[cfg(test)]
pub(super) use authenticate::tests::EXAMPLE as AUTHENTICATE_EXAMPLE;
#[cfg(test)]
pub(super) use challenge::tests::EXAMPLE as CHALLENGE_EXAMPLE;

/// What every message begins with.
pub const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

const NEGOTIATE: u32 = 1;
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;

wire_flags! {
    /// NEGOTIATE flags ([MS-NLMP] 2.2.2.5).
    NegotiateFlags: u32 {
        UNICODE = 0x0000_0001;
        OEM = 0x0000_0002;
        REQUEST_TARGET = 0x0000_0004;
        SIGN = 0x0000_0010;
        SEAL = 0x0000_0020;
        DATAGRAM = 0x0000_0040;
        LM_KEY = 0x0000_0080;
        NTLM = 0x0000_0200;
        ANONYMOUS = 0x0000_0800;
        OEM_DOMAIN_SUPPLIED = 0x0000_1000;
        OEM_WORKSTATION_SUPPLIED = 0x0000_2000;
        ALWAYS_SIGN = 0x0000_8000;
        TARGET_TYPE_DOMAIN = 0x0001_0000;
        TARGET_TYPE_SERVER = 0x0002_0000;
        EXTENDED_SESSION_SECURITY = 0x0008_0000;
        IDENTIFY = 0x0010_0000;
        REQUEST_NON_NT_SESSION_KEY = 0x0040_0000;
        TARGET_INFO = 0x0080_0000;
        VERSION = 0x0200_0000;
        KEY_128 = 0x2000_0000;
        KEY_EXCH = 0x4000_0000;
        KEY_56 = 0x8000_0000;
    }
}

/// VERSION ([MS-NLMP] 2.2.2.10): for debugging only, but clients read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    /// Major number of the operating system.
    pub major: u8,
    /// Its minor number.
    pub minor: u8,
    /// Its build.
    pub build: u16,
    /// NTLM's own revision.
    pub revision: u8,
}

impl Version {
    /// What a server of this protocol that is not Windows passes for: 6.1, revision 15.
    pub const DEFAULT: Version = Version { major: 6, minor: 1, build: 0, revision: 0x0F };

    fn decode(r: &mut Reader<'_>) -> Result<Version, DecodeError> {
        let [major, minor, low, high, _, _, _, revision] = r.array()?;
        Ok(Version { major, minor, build: u16::from_le_bytes([low, high]), revision })
    }

    fn encode(self, w: &mut Writer) {
        w.u8(self.major);
        w.u8(self.minor);
        w.u16(self.build);
        w.zeros(3);
        w.u8(self.revision);
    }
}

/// Reads signature and message type.
fn decode_preamble(r: &mut Reader<'_>, message_type: u32) -> Result<(), DecodeError> {
    if r.array::<8>()? != SIGNATURE {
        return Err(DecodeError::ProtocolId);
    }
    if r.u32()? != message_type {
        return Err(DecodeError::Value);
    }
    Ok(())
}

fn encode_preamble(w: &mut Writer, message_type: u32) {
    w.bytes(&SIGNATURE);
    w.u32(message_type);
}

/// Length and offset of a variable part, as read.
#[derive(Clone, Copy)]
struct Span {
    length: usize,
    offset: usize,
}

impl Span {
    fn decode(r: &mut Reader<'_>) -> Result<Span, DecodeError> {
        let length = usize::from(r.u16()?);
        // The maximum length, which receivers ignore.
        r.skip(2)?;
        let offset = r.u32()? as usize;
        Ok(Span { length, offset })
    }

    /// The part itself. `message` stands behind the fixed fields, which no part may overlap.
    fn part<'a>(self, message: &Reader<'a>) -> Result<Reader<'a>, DecodeError> {
        message.part(self.offset, self.length)
    }
}

/// Length and offset of a variable part, to be written.
struct SpanSlot {
    length: Slot16,
    maximum: Slot16,
    offset: Slot32,
}

impl SpanSlot {
    fn reserve(w: &mut Writer) -> SpanSlot {
        SpanSlot { length: w.slot16(), maximum: w.slot16(), offset: w.slot32() }
    }

    /// Appends the part and tells the message where it is.
    fn fill(self, w: &mut Writer, content: impl FnOnce(&mut Writer)) {
        w.fill32_here(self.offset);
        let length = w.measured(content);
        w.fill16(self.length, length);
        w.fill16(self.maximum, length);
    }
}
