//! Message signatures ([MS-SMB2] 3.1.4.1, 3.1.5.1).
//!
//! The signature covers the whole message with its own field taken as zeros. Header and
//! payload come apart, and the payload in pieces, so that neither the field is cleared nor
//! file data copied.
//!
//! AES-GMAC makes its nonce of the message id: one sender must never sign two different
//! messages of the same id. That is why interim responses go unsigned
//! ([MS-SMB2] 3.3.4.1.1) and notifications, whose id is all ones, too.

use core::fmt;

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use subtle::ConstantTimeEq;

use super::gmac::Gmac;
use super::secret::Key128;

/// Bytes of the SMB2 header ([MS-SMB2] 2.2.1).
const HEADER: usize = 64;
/// Where the signature lies in the header.
const SIGNATURE: core::ops::Range<usize> = 48..64;
/// What stands for the signature while it is computed.
const NO_SIGNATURE: [u8; 16] = [0; 16];
/// SMB2 CANCEL's code in Header.Command.
const CANCEL: u16 = 0x000C;

/// The signing algorithms that are served, of those that SMB2_SIGNING_CAPABILITIES numbers
/// ([MS-SMB2] 2.2.3.1.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// AES-128-CMAC (RFC 4493): what a peer of SMB 3.x that negotiated nothing uses.
    AesCmac,
    /// AES-128-GMAC (RFC 4543).
    AesGmac,
}

impl SigningAlgorithm {
    /// The algorithm of this number, if it is one that is served.
    pub const fn from_wire(id: u16) -> Option<SigningAlgorithm> {
        match id {
            1 => Some(SigningAlgorithm::AesCmac),
            2 => Some(SigningAlgorithm::AesGmac),
            _ => None,
        }
    }

    /// The algorithm's number.
    pub const fn to_wire(self) -> u16 {
        match self {
            SigningAlgorithm::AesCmac => 1,
            SigningAlgorithm::AesGmac => 2,
        }
    }
}

/// Who sends the message. Part of GMAC's nonce, so that a message reflected to its sender does
/// not verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// A signing key made ready for use: keep it as long as the session or channel lives.
pub struct SigningKey(Backend);

enum Backend {
    Cmac(Box<Cmac<Aes128>>),
    Gmac(Box<Gmac>),
}

impl SigningKey {
    /// Prepares `key` for `algorithm`.
    pub fn new(algorithm: SigningAlgorithm, key: &Key128) -> SigningKey {
        SigningKey(match algorithm {
            SigningAlgorithm::AesCmac => {
                Backend::Cmac(Box::new(Cmac::new(&(*key.expose()).into())))
            }
            SigningAlgorithm::AesGmac => Backend::Gmac(Box::new(Gmac::new(key))),
        })
    }

    /// The algorithm that this key signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        match self.0 {
            Backend::Cmac(_) => SigningAlgorithm::AesCmac,
            Backend::Gmac(_) => SigningAlgorithm::AesGmac,
        }
    }

    /// The signature of the message that consists of `header` and then `payload`. What stands
    /// in the header's signature field is not looked at. The header's SMB2_FLAGS_SIGNED must
    /// be set already: it is covered.
    pub fn sign(&self, sender: Sender, header: &[u8; HEADER], payload: &[&[u8]]) -> [u8; 16] {
        let parts =
            [&header[..SIGNATURE.start], &NO_SIGNATURE].into_iter().chain(payload.iter().copied());
        match &self.0 {
            Backend::Cmac(key) => {
                let mut mac = key.as_ref().clone();
                parts.for_each(|part| mac.update(part));
                mac.finalize().into_bytes().into()
            }
            Backend::Gmac(key) => key.tag(&gmac_nonce(sender, header), parts),
        }
    }

    /// True if the signature in `header` is right. The comparison takes the same time whatever
    /// differs.
    #[must_use]
    pub fn verify(&self, sender: Sender, header: &[u8; HEADER], payload: &[&[u8]]) -> bool {
        self.sign(sender, header, payload).ct_eq(&header[SIGNATURE]).into()
    }

    /// Signs a message that lies in one buffer. Nothing happens, and false is the answer, if
    /// the buffer has no room for a header.
    #[must_use]
    pub fn sign_message(&self, sender: Sender, message: &mut [u8]) -> bool {
        let Some((header, payload)) = message.split_first_chunk_mut::<HEADER>() else {
            return false;
        };
        let signature = self.sign(sender, header, &[payload]);
        header[SIGNATURE].copy_from_slice(&signature);
        true
    }

    /// As [`SigningKey::verify`], for a message that lies in one buffer. One without room for a
    /// header has no right signature.
    #[must_use]
    pub fn verify_message(&self, sender: Sender, message: &[u8]) -> bool {
        match message.split_first_chunk::<HEADER>() {
            Some((header, payload)) => self.verify(sender, header, &[payload]),
            None => false,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.algorithm())
    }
}

/// Eight bytes of message id as they stand in the header, then a word whose lowest bit tells
/// the server's messages and whose next one tells CANCEL.
fn gmac_nonce(sender: Sender, header: &[u8; HEADER]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&header[24..32]);
    if sender == Sender::Server {
        nonce[8] |= 0x01;
    }
    if u16::from_le_bytes([header[12], header[13]]) == CANCEL {
        nonce[8] |= 0x02;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{hex, hex_vec};

    /// The signed SESSION_SETUP response of Microsoft's published 3.1.1 example.
    const SIGNED: &str = "
        FE534D4240000100000000000100800009000000000000000300000000000000
        FFFE0000000000001900000000100000EBE146DA120BA25FC3376A49DFE31BC1
        0900000048001D00A11B3019A0030A0100A3120410010000003B453CDC352416
        4200000000";

    #[test]
    fn published_response() {
        let key = Key128::new(hex("73FE7A9A77BEF0BDE49C650D8CCB5F76"));
        let key = SigningKey::new(SigningAlgorithm::AesCmac, &key);
        let mut message = hex_vec(SIGNED);
        assert!(key.verify_message(Sender::Server, &message));
        let original = message.clone();
        message[48..64].fill(0xAA);
        assert!(!key.verify_message(Sender::Server, &message));
        assert!(key.sign_message(Sender::Server, &mut message));
        assert_eq!(message, original);
    }

    /// RFC 4493 section 4, through the backend.
    #[test]
    fn cmac_vectors() {
        let cmac = Cmac::<Aes128>::new(&hex("2b7e151628aed2a6abf7158809cf4f3c").into());
        let message = hex_vec(
            "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
             30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
        );
        for (length, expected) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
            (64, "51f0bebf7e3b9d92fc49741779363cfe"),
        ] {
            let tag = cmac.clone().chain_update(&message[..length]).finalize().into_bytes();
            assert_eq!(tag[..], hex_vec(expected)[..], "{length} bytes");
        }
    }

    #[test]
    fn gmac_depends_on_sender_message_id_and_cancel() {
        let key = SigningKey::new(SigningAlgorithm::AesGmac, &Key128::new([3; 16]));
        let mut message = vec![0x11; 200];
        message[12..14].copy_from_slice(&9u16.to_le_bytes());
        assert!(key.sign_message(Sender::Client, &mut message));
        assert!(key.verify_message(Sender::Client, &message));
        assert!(!key.verify_message(Sender::Server, &message));
        for position in [0, 12, 24, 47, 48, 63, 64, 199] {
            let mut changed = message.clone();
            changed[position] ^= 1;
            assert!(!key.verify_message(Sender::Client, &changed), "byte {position}");
        }
        let header: &[u8; 64] = message.first_chunk().unwrap();
        assert_eq!(
            gmac_nonce(Sender::Client, header),
            [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0, 0, 0, 0]
        );
        let mut cancel = *header;
        cancel[12..14].copy_from_slice(&CANCEL.to_le_bytes());
        assert_eq!(gmac_nonce(Sender::Client, &cancel)[8..], [2, 0, 0, 0]);
        assert_eq!(gmac_nonce(Sender::Server, header)[8..], [1, 0, 0, 0]);
    }

    #[test]
    fn pieces_equal_the_whole() {
        for algorithm in [SigningAlgorithm::AesCmac, SigningAlgorithm::AesGmac] {
            let key = SigningKey::new(algorithm, &Key128::new([5; 16]));
            let header = [1; 64];
            let payload: Vec<u8> = (0..100).collect();
            let whole = key.sign(Sender::Server, &header, &[&payload]);
            let pieces = [&payload[..1], &payload[1..33], &[][..], &payload[33..]];
            assert_eq!(whole, key.sign(Sender::Server, &header, &pieces));
        }
    }

    #[test]
    fn shorter_than_a_header() {
        let key = SigningKey::new(SigningAlgorithm::AesGmac, &Key128::new([5; 16]));
        assert!(!key.sign_message(Sender::Server, &mut [0; 63]));
        assert!(!key.verify_message(Sender::Server, &[0; 63]));
        assert!(!key.verify_message(Sender::Server, &[]));
    }
}
