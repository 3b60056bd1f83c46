//! Pre-authentication integrity ([MS-SMB2] 3.1.4.4.1, 3.3.5.4, 3.3.5.5): a chain of SHA-512
//! over every message of NEGOTIATE and SESSION_SETUP, so that who changed one of them cannot
//! derive the session's keys.

use core::fmt;

use sha2::{Digest, Sha512};

/// The chain's value: 64 zero bytes before the first message.
#[derive(Clone, PartialEq, Eq)]
pub struct PreauthHash([u8; 64]);

impl PreauthHash {
    /// The value before any message.
    pub const ZERO: PreauthHash = PreauthHash([0; 64]);

    /// A value that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 64]) -> PreauthHash {
        PreauthHash(bytes)
    }

    /// The value, as the key derivation takes it for its context.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Takes one whole message in, from its SMB2 header on, without the transport's prefix.
    pub fn update(&mut self, message: &[u8]) {
        self.update_parts(&[message]);
    }

    /// As [`PreauthHash::update`], for a message that lies in several pieces.
    pub fn update_parts(&mut self, message: &[&[u8]]) {
        let mut hash = Sha512::new();
        hash.update(self.0);
        for part in message {
            hash.update(part);
        }
        self.0 = hash.finalize().into();
    }
}

impl Default for PreauthHash {
    fn default() -> PreauthHash {
        PreauthHash::ZERO
    }
}

impl fmt::Debug for PreauthHash {
    /// The first bytes are enough to tell two values apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreauthHash(")?;
        for byte in &self.0[..6] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_equal_the_whole() {
        let mut whole = PreauthHash::ZERO;
        whole.update(b"one message");
        whole.update(b"another");
        let mut pieces = PreauthHash::ZERO;
        pieces.update_parts(&[b"one ", b"", b"message"]);
        pieces.update_parts(&[b"another"]);
        assert_eq!(whole, pieces);
        assert_ne!(whole, PreauthHash::ZERO);
    }

    /// SHA-512 of 64 zero bytes followed by "abc", computed by an independent program.
    #[test]
    fn known_answer() {
        let mut value = PreauthHash::ZERO;
        value.update(b"abc");
        assert_eq!(value.as_bytes(), &crate::crypto::vectors::hex(KNOWN));
    }

    const KNOWN: &str = concat!(
        "7682b6b84c6f692545a896ad210299bcc6f74e189d829e165739b11dd83b6f2c",
        "8cfacf27e812bf064df756d6235ac33c062b89ecb80f8215516dbbb844ce8480"
    );
}
