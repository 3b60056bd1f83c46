//! GUIDs as 16 opaque bytes in wire order ([MS-DTYP] 2.3.4).

use core::fmt;
use core::str::FromStr;

/// A GUID in wire order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(pub [u8; 16]);

/// The GUID by which a client names itself on all of its connections ([MS-SMB2] 2.2.3).
pub type ClientGuid = Guid;
/// The GUID by which a client names one logical CREATE ([MS-SMB2] 2.2.13.2.11).
pub type CreateGuid = Guid;
/// The key by which a client names a lease ([MS-SMB2] 2.2.13.2.8).
pub type LeaseKey = Guid;

impl Guid {
    /// The GUID of all zeros, which many fields use for "none".
    pub const ZERO: Guid = Guid([0; 16]);

    /// True for the GUID of all zeros.
    pub fn is_zero(&self) -> bool {
        *self == Guid::ZERO
    }
}

/// The text is not a GUID in the registry form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAGuid;

impl FromStr for Guid {
    type Err = NotAGuid;

    /// Reads the registry form, the braces left out: what `Display` writes.
    fn from_str(text: &str) -> Result<Guid, NotAGuid> {
        let text = text.as_bytes();
        let mut digits = [0; 16];
        let mut at = 0;
        for (index, byte) in digits.iter_mut().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                if text.get(at) != Some(&b'-') {
                    return Err(NotAGuid);
                }
                at += 1;
            }
            *byte = hex(text.get(at))? << 4 | hex(text.get(at + 1))?;
            at += 2;
        }
        if at != text.len() {
            return Err(NotAGuid);
        }
        for group in [0..4, 4..6, 6..8] {
            digits[group].reverse();
        }
        Ok(Guid(digits))
    }
}

fn hex(digit: Option<&u8>) -> Result<u8, NotAGuid> {
    let digit = char::from(*digit.ok_or(NotAGuid)?).to_digit(16).ok_or(NotAGuid)?;
    Ok(digit as u8)
}

impl fmt::Display for Guid {
    /// The registry form: the first three groups are little-endian on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = &self.0;
        for i in [3, 2, 1, 0] {
            write!(f, "{:02x}", b[i])?;
        }
        write!(f, "-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-", b[5], b[4], b[7], b[6], b[8], b[9])?;
        for byte in &b[10..] {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let text = "33221100-5544-7766-8899-aabbccddeeff";
        let guid: Guid = text.parse().unwrap();
        assert_eq!(guid.0[..8], [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]);
        assert_eq!(guid.to_string(), text);
        for wrong in ["", "33221100", &text[1..], "33221100-5544-7766-8899-aabbccddeeff0", "g"] {
            assert_eq!(wrong.parse::<Guid>(), Err(NotAGuid), "{wrong}");
        }
    }
}
