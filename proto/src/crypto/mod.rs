//! The cryptography of SMB 3.1.1: key derivation, pre-authentication integrity, signatures and
//! encryption, as functions over bytes.
//!
//! Nothing here draws a random number, reads a clock or decides whether a message must be
//! protected. Nonces and message ids are given by the caller, who owes their uniqueness.

mod gmac;
#[cfg(test)]
pub(crate) mod vectors;

pub mod encryption;
pub mod kdf;
pub mod preauth_hash;
pub mod secret;
pub mod signing;

pub use encryption::{Cipher, EncryptionKey, OpenError};
pub use kdf::{SessionKeys, derive_key};
pub use preauth_hash::PreauthHash;
pub use secret::{Key128, Secret};
pub use signing::{Sender, SigningAlgorithm, SigningKey};
