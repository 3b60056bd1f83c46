//! NTLMv2's computations ([MS-NLMP] 3.3.2, 3.4): the hash of a password, the proof that a
//! client knows it, the session key, and signatures with that key.
//!
//! NTLMv1 and LM are not here: they are told apart by
//! [`ResponseKind`](super::ntlmssp::ResponseKind), to be refused.

mod client;
mod nt_hash;
mod server;
mod session_security;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rc4::{Rc4, StreamCipher};

use super::ntlmssp::NegotiateFlags;
use crate::crypto::Key128;

pub use client::{ClientAnswer, ClientLogon, ClientRandom};
pub use nt_hash::NtHash;
pub use server::{Accepted, Exchange, LogonRefusal, verify};
pub use session_security::{Direction, SessionSecurity};

/// HMAC-MD5 over the concatenation of `parts`.
fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    // A block of MD5 is 64 bytes: HMAC pads a shorter key with zeros itself, and this
    // constructor cannot fail.
    let mut block = [0; 64];
    block[..16].copy_from_slice(key);
    let mut mac = Hmac::<Md5>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// RC4 with a key of at most 16 bytes, from the first byte of its stream on.
fn rc4(key: &[u8]) -> Rc4 {
    Rc4::new_from_slice(key).expect("RC4 takes keys of 1 to 256 bytes")
}

/// RC4 over 16 bytes: both directions of the key exchange.
fn rc4_key(key: &Key128, value: &[u8; 16]) -> [u8; 16] {
    let mut out = *value;
    rc4(key.expose()).apply_keystream(&mut out);
    out
}

/// True if the session key is the client's choice rather than what the password yields
/// ([MS-NLMP] 3.1.5.1.2, 3.2.5.1.2).
fn exchanges_key(flags: NegotiateFlags) -> bool {
    flags.contains(NegotiateFlags::KEY_EXCH)
        && flags.intersects(NegotiateFlags::SIGN | NegotiateFlags::SEAL)
}

/// MIC: the signature over the three messages of a logon, the last with its own field as zeros.
fn mic(session_key: &Key128, negotiate: &[u8], challenge: &[u8], authenticate: &[u8]) -> [u8; 16] {
    let range = super::ntlmssp::MIC;
    let before = &authenticate[..range.start.min(authenticate.len())];
    let behind = authenticate.get(range.end..).unwrap_or_default();
    hmac_md5(session_key.expose(), &[negotiate, challenge, before, &[0; 16], behind])
}
