//! Access control lists and their entries ([MS-DTYP] 2.4.4, 2.4.5).

use crate::types::flags::wire_flags;
use crate::types::{AccessMask, Sid};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

/// Revision of a list without entries for directory services.
const ACL_REVISION: u8 = 2;
/// Bytes of an entry's header.
const ACE_HEADER: usize = 4;

open_enum! {
    /// AceType.
    AceType: u8 {
        ACCESS_ALLOWED = 0x00;
        ACCESS_DENIED = 0x01;
        SYSTEM_AUDIT = 0x02;
        SYSTEM_ALARM = 0x03;
        ACCESS_ALLOWED_COMPOUND = 0x04;
        ACCESS_ALLOWED_OBJECT = 0x05;
        ACCESS_DENIED_OBJECT = 0x06;
        SYSTEM_AUDIT_OBJECT = 0x07;
        ACCESS_ALLOWED_CALLBACK = 0x09;
        ACCESS_DENIED_CALLBACK = 0x0A;
        SYSTEM_AUDIT_CALLBACK = 0x0D;
        SYSTEM_MANDATORY_LABEL = 0x11;
        SYSTEM_RESOURCE_ATTRIBUTE = 0x12;
        SYSTEM_SCOPED_POLICY_ID = 0x13;
    }
}

impl AceType {
    /// True for the kinds that consist of a mask and a SID and nothing else.
    const fn is_plain(self) -> bool {
        matches!(self.0, 0x00..=0x03 | 0x11 | 0x13)
    }
}

wire_flags! {
    /// AceFlags.
    AceFlags: u8 {
        OBJECT_INHERIT = 0x01;
        CONTAINER_INHERIT = 0x02;
        NO_PROPAGATE_INHERIT = 0x04;
        INHERIT_ONLY = 0x08;
        INHERITED = 0x10;
        SUCCESSFUL_ACCESS = 0x40;
        FAILED_ACCESS = 0x80;
    }
}

/// One entry of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ace {
    /// What the entry does.
    pub ace_type: AceType,
    /// How it is inherited, and when it audits.
    pub flags: AceFlags,
    /// Whom it is about.
    pub body: AceBody,
}

/// What an entry holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AceBody {
    /// Rights and who has them: all that file servers judge by.
    Mask {
        /// The rights.
        mask: AccessMask,
        /// Who.
        sid: Sid,
    },
    /// Kinds with more to them, kept as they came.
    Opaque(Vec<u8>),
}

impl Ace {
    /// An entry that lets `sid` do what `mask` says, and is not inherited.
    pub fn allow(sid: Sid, mask: AccessMask) -> Ace {
        Ace {
            ace_type: AceType::ACCESS_ALLOWED,
            flags: AceFlags::NONE,
            body: AceBody::Mask { mask, sid },
        }
    }

    /// An entry that keeps `sid` from what `mask` says, and is not inherited.
    pub fn deny(sid: Sid, mask: AccessMask) -> Ace {
        Ace { ace_type: AceType::ACCESS_DENIED, ..Ace::allow(sid, mask) }
    }

    /// How many bytes it takes on the wire.
    pub fn encoded_len(&self) -> usize {
        ACE_HEADER
            + match &self.body {
                AceBody::Mask { sid, .. } => 4 + sid.encoded_len(),
                AceBody::Opaque(bytes) => bytes.len().next_multiple_of(4),
            }
    }

    fn encode(&self, w: &mut Writer) {
        w.u8(self.ace_type.0);
        w.u8(self.flags.0);
        let size = w.slot16();
        match &self.body {
            AceBody::Mask { mask, sid } => {
                w.u32(mask.0);
                sid.encode(w);
            }
            AceBody::Opaque(bytes) => {
                w.bytes(bytes);
                w.zeros(bytes.len().next_multiple_of(4) - bytes.len());
            }
        }
        w.fill16(size, self.encoded_len());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Ace, DecodeError> {
        let ace_type = AceType(r.u8()?);
        let flags = AceFlags(r.u8()?);
        let size = usize::from(r.u16()?);
        let length = size.checked_sub(ACE_HEADER).ok_or(DecodeError::Length)?;
        if !size.is_multiple_of(4) {
            return Err(DecodeError::Misaligned);
        }
        let mut content = r.sub(length)?;
        let body = if ace_type.is_plain() {
            // What follows the SID means nothing and is not kept.
            AceBody::Mask { mask: AccessMask(content.u32()?), sid: Sid::decode(&mut content)? }
        } else {
            AceBody::Opaque(content.rest().to_vec())
        };
        Ok(Ace { ace_type, flags, body })
    }
}

/// A list of entries, in the order in which they are looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acl {
    /// 2, or 4 with entries for directory services.
    pub revision: u8,
    /// The entries.
    pub aces: Vec<Ace>,
}

impl Default for Acl {
    fn default() -> Acl {
        Acl { revision: ACL_REVISION, aces: Vec::new() }
    }
}

impl Acl {
    /// The largest list, in bytes, that its own size field can tell.
    pub const MAX: usize = 65_532;

    /// A list of these entries.
    pub fn new(aces: Vec<Ace>) -> Acl {
        Acl { revision: ACL_REVISION, aces }
    }

    /// How many bytes it takes on the wire. More than [`Acl::MAX`] cannot be told: who
    /// lengthens a list checks this.
    pub fn encoded_len(&self) -> usize {
        8 + self.aces.iter().map(Ace::encoded_len).sum::<usize>()
    }

    /// Appends the list.
    pub fn encode(&self, w: &mut Writer) {
        w.u8(self.revision);
        w.u8(0);
        let size = w.slot16();
        let count = w.slot16();
        w.u16(0);
        for ace in &self.aces {
            ace.encode(w);
        }
        w.fill16(size, self.encoded_len());
        w.fill16(count, self.aces.len());
    }

    /// Reads a list, and nothing past its own length.
    pub fn decode(r: &mut Reader<'_>) -> Result<Acl, DecodeError> {
        let revision = r.u8()?;
        if !matches!(revision, 2..=4) {
            return Err(DecodeError::Value);
        }
        r.skip(1)?;
        let size = usize::from(r.u16()?);
        let count = r.u16()?;
        r.skip(2)?;
        let mut content = r.sub(size.checked_sub(8).ok_or(DecodeError::Length)?)?;
        let mut aces = Vec::new();
        for _ in 0..count {
            aces.push(Ace::decode(&mut content)?);
        }
        // Room that the list has left is legal and means nothing.
        Ok(Acl { revision, aces })
    }
}
