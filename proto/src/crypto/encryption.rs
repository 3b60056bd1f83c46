//! Message encryption ([MS-SMB2] 3.1.4.3, 3.1.5.1): authenticated, in place, with the tag apart
//! in the transform header's signature field.
//!
//! The associated data is the transform header from its nonce to its end, 32 bytes
//! ([MS-SMB2] 2.2.41); the nonce is read from there, so that the two cannot differ. The sender
//! owes a nonce that this key never saw before.

use core::fmt;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, KeyInit};

use super::secret::Key128;

/// Bytes of the transform header from Nonce to its end.
pub const ASSOCIATED_DATA: usize = 32;
/// Bytes of the tag, which is the transform header's Signature.
pub const TAG: usize = 16;

/// The ciphers that are served, of those that SMB2_ENCRYPTION_CAPABILITIES numbers
/// ([MS-SMB2] 2.2.3.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Cipher {
    /// AES-128-GCM.
    Aes128Gcm,
}

impl Cipher {
    /// The cipher of this number, if it is one that is served.
    pub const fn from_wire(id: u16) -> Option<Cipher> {
        match id {
            2 => Some(Cipher::Aes128Gcm),
            _ => None,
        }
    }

    /// The cipher's number.
    pub const fn to_wire(self) -> u16 {
        match self {
            Cipher::Aes128Gcm => 2,
        }
    }

    /// How many of the 16 bytes of the Nonce field the cipher uses; the others are zero.
    pub const fn nonce_len(self) -> usize {
        match self {
            Cipher::Aes128Gcm => 12,
        }
    }
}

/// The message was not made by the holder of the key, or was changed on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the encrypted message does not authenticate")]
pub struct OpenError;

/// An encryption key of one direction, made ready for use: keep it as long as the session
/// lives.
pub struct EncryptionKey(Backend);

enum Backend {
    Aes128Gcm(Box<Aes128Gcm>),
}

impl EncryptionKey {
    /// Prepares `key` for `cipher`.
    pub fn new(cipher: Cipher, key: &Key128) -> EncryptionKey {
        EncryptionKey(match cipher {
            Cipher::Aes128Gcm => {
                Backend::Aes128Gcm(Box::new(Aes128Gcm::new(&(*key.expose()).into())))
            }
        })
    }

    /// The cipher that this key is for.
    pub fn cipher(&self) -> Cipher {
        match self.0 {
            Backend::Aes128Gcm(_) => Cipher::Aes128Gcm,
        }
    }

    /// Encrypts `data` in place and yields the tag.
    ///
    /// # Panics
    /// If `data` is 64 GiB or longer, which is more than the cipher can take and more than a
    /// frame can hold.
    #[must_use]
    pub fn seal(&self, associated: &[u8; ASSOCIATED_DATA], data: &mut [u8]) -> [u8; TAG] {
        match &self.0 {
            Backend::Aes128Gcm(key) => key
                .encrypt_inout_detached(&gcm_nonce(associated).into(), associated, data.into())
                .expect("a frame is shorter than the cipher's limit")
                .into(),
        }
    }

    /// Decrypts `data` in place if `tag` authenticates it and `associated`, and leaves it
    /// untouched otherwise.
    pub fn open(
        &self,
        associated: &[u8; ASSOCIATED_DATA],
        data: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), OpenError> {
        match &self.0 {
            Backend::Aes128Gcm(key) => key
                .decrypt_inout_detached(
                    &gcm_nonce(associated).into(),
                    associated,
                    data.into(),
                    &(*tag).into(),
                )
                .map_err(|_| OpenError),
        }
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({:?})", self.cipher())
    }
}

fn gcm_nonce(associated: &[u8; ASSOCIATED_DATA]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&associated[..12]);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{hex, hex_vec};

    /// Test case 4 of the GCM specification as NIST took it over: the library that we build on
    /// is the one we think it is.
    #[test]
    fn nist_vector() {
        let key = Aes128Gcm::new(&hex("feffe9928665731c6d6a8f9467308308").into());
        let mut data = hex_vec(
            "d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72
             1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b39",
        );
        let tag = key
            .encrypt_inout_detached(
                &hex("cafebabefacedbaddecaf888").into(),
                &hex::<20>("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                data.as_mut_slice().into(),
            )
            .unwrap();
        assert_eq!(
            data,
            hex_vec(
                "42831ec2217774244b7221b784d0d49c e3aa212f2c02a4e035c17e2329aca12e
                 21d514b25466931c7d8f6a5aac84aa05 1ba30b396a0aac973d58e091"
            )
        );
        assert_eq!(tag[..], hex::<16>("5bc94fbc3221a5db94fae95ae7121a47")[..]);
    }

    #[test]
    fn round_trip_and_tampering() {
        let key = EncryptionKey::new(Cipher::Aes128Gcm, &Key128::new([1; 16]));
        let associated: [u8; 32] = core::array::from_fn(|i| i as u8);
        let plain: Vec<u8> = (0..1000).map(|i| i as u8).collect();
        let mut data = plain.clone();
        let tag = key.seal(&associated, &mut data);
        assert_ne!(data, plain);

        let sealed = data.clone();
        for bit in [0, 100, 255] {
            let mut other = associated;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&other, &mut data, &tag), Err(OpenError));
        }
        let mut wrong_tag = tag;
        wrong_tag[15] ^= 0x80;
        assert_eq!(key.open(&associated, &mut data, &wrong_tag), Err(OpenError));
        assert_eq!(key.open(&associated, &mut data[1..], &tag), Err(OpenError));
        assert_eq!(data, sealed, "what does not authenticate stays as it was");

        assert_eq!(key.open(&associated, &mut data, &tag), Ok(()));
        assert_eq!(data, plain);
    }
}
