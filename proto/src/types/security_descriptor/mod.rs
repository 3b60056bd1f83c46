//! Security descriptors in self-relative form ([MS-DTYP] 2.4.6): what QUERY_INFO and SET_INFO
//! of security carry, what a context of CREATE may bring, and what is kept with a file.

mod acl;

use bytes::Bytes;

use super::Sid;
use super::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Writer};

pub use acl::{Ace, AceBody, AceFlags, AceType, Acl};

/// The only revision there is.
const REVISION: u8 = 1;
/// Bytes before the first part.
const FIXED: usize = 20;

/// The longest descriptor that is decoded: two lists of the largest size and two SIDs fit.
pub const MAX_SECURITY_DESCRIPTOR: usize = 2 * 65_536 + 256;

wire_flags! {
    /// Control.
    SecurityControl: u16 {
        OWNER_DEFAULTED = 0x0001;
        GROUP_DEFAULTED = 0x0002;
        DACL_PRESENT = 0x0004;
        DACL_DEFAULTED = 0x0008;
        SACL_PRESENT = 0x0010;
        SACL_DEFAULTED = 0x0020;
        DACL_TRUSTED = 0x0040;
        SERVER_SECURITY = 0x0080;
        DACL_AUTO_INHERIT_REQ = 0x0100;
        SACL_AUTO_INHERIT_REQ = 0x0200;
        DACL_AUTO_INHERITED = 0x0400;
        SACL_AUTO_INHERITED = 0x0800;
        DACL_PROTECTED = 0x1000;
        SACL_PROTECTED = 0x2000;
        RM_CONTROL_VALID = 0x4000;
        SELF_RELATIVE = 0x8000;
    }
}

/// A list of a descriptor, which may be there without being a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum AclField {
    /// Not told.
    #[default]
    Absent,
    /// Told to be none at all: as a DACL it lets everybody do everything.
    Null,
    /// A list; an empty DACL lets nobody do anything.
    List(Acl),
}

impl AclField {
    /// The list, if there is one.
    pub fn list(&self) -> Option<&Acl> {
        match self {
            AclField::List(acl) => Some(acl),
            AclField::Absent | AclField::Null => None,
        }
    }
}

/// Who owns a file, and who may do what with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecurityDescriptor {
    /// Control without the bits that tell which lists are there and how they are laid out:
    /// those follow from the fields.
    pub control: SecurityControl,
    /// The owner.
    pub owner: Option<Sid>,
    /// The owner's primary group.
    pub group: Option<Sid>,
    /// What is audited, and labels.
    pub sacl: AclField,
    /// Who may do what.
    pub dacl: AclField,
}

/// The bits of Control that are made of the other fields.
const DERIVED: SecurityControl = SecurityControl(
    SecurityControl::DACL_PRESENT.0
        | SecurityControl::SACL_PRESENT.0
        | SecurityControl::SELF_RELATIVE.0,
);

impl SecurityDescriptor {
    /// Decodes a descriptor that begins with the first byte of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<SecurityDescriptor, DecodeError> {
        if bytes.len() > MAX_SECURITY_DESCRIPTOR {
            return Err(DecodeError::Length);
        }
        let mut r = Reader::new(bytes);
        if r.u8()? != REVISION {
            return Err(DecodeError::Value);
        }
        r.skip(1)?;
        let control = SecurityControl(r.u16()?);
        if !control.contains(SecurityControl::SELF_RELATIVE) {
            return Err(DecodeError::Value);
        }
        let [owner, group, sacl, dacl] = [r.u32()?, r.u32()?, r.u32()?, r.u32()?];
        let sid = |offset| match part(bytes, offset)? {
            Some(mut part) => Sid::decode(&mut part).map(Some),
            None => Ok(None),
        };
        let acl = |present, offset| match part(bytes, offset)? {
            _ if !control.contains(present) => Ok(AclField::Absent),
            Some(mut part) => Acl::decode(&mut part).map(AclField::List),
            None => Ok(AclField::Null),
        };
        Ok(SecurityDescriptor {
            control: control.without(DERIVED),
            owner: sid(owner)?,
            group: sid(group)?,
            sacl: acl(SecurityControl::SACL_PRESENT, sacl)?,
            dacl: acl(SecurityControl::DACL_PRESENT, dacl)?,
        })
    }

    /// Appends the descriptor: header, lists, owner, group.
    pub fn encode(&self, w: &mut Writer) {
        w.nested(|w| {
            let mut control = self.control.without(DERIVED) | SecurityControl::SELF_RELATIVE;
            if self.sacl != AclField::Absent {
                control |= SecurityControl::SACL_PRESENT;
            }
            if self.dacl != AclField::Absent {
                control |= SecurityControl::DACL_PRESENT;
            }
            w.u8(REVISION);
            w.u8(0);
            w.u16(control.0);
            let [owner, group, sacl, dacl] = [w.slot32(), w.slot32(), w.slot32(), w.slot32()];
            for (slot, acl) in [(sacl, &self.sacl), (dacl, &self.dacl)] {
                if let Some(acl) = acl.list() {
                    w.fill32_here(slot);
                    acl.encode(w);
                }
            }
            for (slot, sid) in [(owner, &self.owner), (group, &self.group)] {
                if let Some(sid) = sid {
                    w.fill32_here(slot);
                    sid.encode(w);
                }
            }
        });
    }

    /// The descriptor alone.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::new();
        self.encode(&mut w);
        w.into_bytes()
    }
}

/// What lies at `offset`, up to the end: each part tells its own length. 0 means nothing.
fn part(bytes: &[u8], offset: u32) -> Result<Option<Reader<'_>>, DecodeError> {
    let offset = offset as usize;
    if offset == 0 {
        return Ok(None);
    }
    if offset < FIXED {
        return Err(DecodeError::Offset);
    }
    bytes.get(offset..).map(Reader::new).map(Some).ok_or(DecodeError::Offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AccessMask;

    fn full() -> SecurityDescriptor {
        let everyone = Ace::allow(Sid::everyone(), AccessMask::FILE_GENERIC_READ);
        let denied = Ace {
            ace_type: AceType::ACCESS_DENIED,
            flags: AceFlags::INHERITED | AceFlags::OBJECT_INHERIT,
            body: AceBody::Mask { mask: AccessMask::DELETE, sid: Sid::users() },
        };
        let foreign = Ace {
            ace_type: AceType(0x09),
            flags: AceFlags::NONE,
            body: AceBody::Opaque(vec![1, 2, 3, 4, 5, 6, 7, 8]),
        };
        let label = Ace {
            ace_type: AceType::SYSTEM_MANDATORY_LABEL,
            flags: AceFlags::NONE,
            body: AceBody::Mask { mask: AccessMask(1), sid: Sid::new(16, &[8192]) },
        };
        SecurityDescriptor {
            control: SecurityControl::DACL_PROTECTED,
            owner: Some(Sid::administrators()),
            group: Some(Sid::users()),
            sacl: AclField::List(Acl { revision: 2, aces: vec![label] }),
            dacl: AclField::List(Acl { revision: 2, aces: vec![denied, everyone, foreign] }),
        }
    }

    #[test]
    fn round_trip() {
        let null = SecurityDescriptor { dacl: AclField::Null, ..Default::default() };
        let empty =
            SecurityDescriptor { dacl: AclField::List(Acl::default()), ..Default::default() };
        for descriptor in [full(), null, empty, SecurityDescriptor::default()] {
            let bytes = descriptor.to_bytes();
            assert_eq!(bytes.len() % 4, 0);
            assert_eq!(SecurityDescriptor::decode(&bytes), Ok(descriptor));
        }
    }

    #[test]
    fn encoding_inside_of_a_message_counts_from_its_own_start() {
        let mut w = Writer::new();
        w.bytes(&[0xEE; 12]);
        full().encode(&mut w);
        assert_eq!(SecurityDescriptor::decode(&w.into_bytes()[12..]), Ok(full()));
    }

    #[test]
    fn truncation_and_mutation() {
        let bytes = full().to_bytes().to_vec();
        for length in 0..bytes.len() {
            assert!(SecurityDescriptor::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        for position in 0..bytes.len() {
            for value in [0, 1, 4, 0x13, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[position] = value;
                if let Ok(descriptor) = SecurityDescriptor::decode(&changed) {
                    let again = SecurityDescriptor::decode(&descriptor.to_bytes());
                    assert_eq!(again, Ok(descriptor), "byte {position} is {value:#x}");
                }
            }
        }
    }

    #[test]
    fn absolute_form_is_refused() {
        let mut bytes = full().to_bytes().to_vec();
        bytes[3] &= 0x7F;
        assert_eq!(SecurityDescriptor::decode(&bytes), Err(DecodeError::Value));
    }
}
