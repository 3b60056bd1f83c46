//! Security identifiers ([MS-DTYP] 2.4.2).

use core::fmt;
use core::str::FromStr;

use crate::wire::{DecodeError, Reader, Writer};

/// A SID: identifier authority and up to 15 sub-authorities.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sid {
    /// Six bytes, big-endian on the wire.
    pub authority: u64,
    /// The relative parts, at most 15.
    pub sub_authorities: Vec<u32>,
}

/// The only revision there is.
const REVISION: u8 = 1;
/// SID_MAX_SUB_AUTHORITIES.
const MAX_SUB_AUTHORITIES: usize = 15;
/// The largest identifier authority.
const MAX_AUTHORITY: u64 = (1 << 48) - 1;

impl Sid {
    /// Of these parts; past the fifteenth they are left out.
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Sid {
        let count = sub_authorities.len().min(MAX_SUB_AUTHORITIES);
        Sid {
            authority: authority & MAX_AUTHORITY,
            sub_authorities: sub_authorities[..count].to_vec(),
        }
    }

    /// S-1-1-0: everyone.
    pub fn everyone() -> Sid {
        Sid::new(1, &[0])
    }

    /// S-1-3-0: in an inheritable entry, whoever makes the file.
    pub fn creator_owner() -> Sid {
        Sid::new(3, &[0])
    }

    /// S-1-3-1: in an inheritable entry, the group of whoever makes the file.
    pub fn creator_group() -> Sid {
        Sid::new(3, &[1])
    }

    /// S-1-3-4: the owner at the time of the access check.
    pub fn owner_rights() -> Sid {
        Sid::new(3, &[4])
    }

    /// S-1-5-11: whoever proved an identity.
    pub fn authenticated_users() -> Sid {
        Sid::new(5, &[11])
    }

    /// S-1-5-18: the machine itself.
    pub fn local_system() -> Sid {
        Sid::new(5, &[18])
    }

    /// S-1-5-32-544: the built-in group of administrators.
    pub fn administrators() -> Sid {
        Sid::new(5, &[32, 544])
    }

    /// S-1-5-32-545: the built-in group of users.
    pub fn users() -> Sid {
        Sid::new(5, &[32, 545])
    }

    /// How many bytes it takes on the wire.
    pub fn encoded_len(&self) -> usize {
        8 + 4 * self.sub_authorities.len().min(MAX_SUB_AUTHORITIES)
    }

    /// Appends the SID.
    pub fn encode(&self, w: &mut Writer) {
        let count = self.sub_authorities.len().min(MAX_SUB_AUTHORITIES);
        w.u8(REVISION);
        w.u8(count as u8);
        w.bytes(&(self.authority & MAX_AUTHORITY).to_be_bytes()[2..]);
        for part in &self.sub_authorities[..count] {
            w.u32(*part);
        }
    }

    /// Reads a SID.
    pub fn decode(r: &mut Reader<'_>) -> Result<Sid, DecodeError> {
        let [revision, count, authority @ ..] = r.array::<8>()?;
        let count = usize::from(count);
        if revision != REVISION {
            return Err(DecodeError::Value);
        }
        if count > MAX_SUB_AUTHORITIES {
            return Err(DecodeError::TooManyEntries);
        }
        let authority = authority.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let sub_authorities = (0..count).map(|_| r.u32()).collect::<Result<_, _>>()?;
        Ok(Sid { authority, sub_authorities })
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S-1-{}", self.authority)?;
        for part in &self.sub_authorities {
            write!(f, "-{part}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not of the form S-1-5-21-….
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a SID: it should read like S-1-5-32-544")]
pub struct ParseSidError;

impl FromStr for Sid {
    type Err = ParseSidError;

    fn from_str(text: &str) -> Result<Sid, ParseSidError> {
        let mut parts = text.strip_prefix("S-1-").ok_or(ParseSidError)?.split('-');
        let authority = parts.next().and_then(|part| part.parse().ok()).ok_or(ParseSidError)?;
        let sub_authorities =
            parts.map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| ParseSidError)?;
        if authority > MAX_AUTHORITY || sub_authorities.len() > MAX_SUB_AUTHORITIES {
            return Err(ParseSidError);
        }
        Ok(Sid { authority, sub_authorities })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_both_ways() {
        let mut w = Writer::new();
        Sid::administrators().encode(&mut w);
        let bytes = w.into_bytes();
        assert_eq!(bytes.as_ref(), [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]);
        assert_eq!(Sid::decode(&mut Reader::new(&bytes)), Ok(Sid::administrators()));
        for length in 0..bytes.len() {
            let cut = Sid::decode(&mut Reader::new(&bytes[..length]));
            assert_eq!(cut, Err(DecodeError::Truncated));
        }
        let sixteen = [1u8, 16].into_iter().chain([0; 80]).collect::<Vec<_>>();
        assert_eq!(Sid::decode(&mut Reader::new(&sixteen)), Err(DecodeError::TooManyEntries));
    }

    #[test]
    fn text_both_ways() {
        for text in ["S-1-0", "S-1-5-21-1-2-4294967295-1000", "S-1-281474976710655-1"] {
            assert_eq!(text.parse::<Sid>().unwrap().to_string(), text);
        }
        let broken = ["", "S-1-", "S-2-5", "S-1-5-", "S-1-5-4294967296", "S-1-281474976710656"];
        for text in broken {
            assert_eq!(text.parse::<Sid>(), Err(ParseSidError), "{text}");
        }
    }
}
