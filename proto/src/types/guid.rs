//! GUIDs as 16 opaque bytes in wire order ([MS-DTYP] 2.3.4).

use core::fmt;

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
