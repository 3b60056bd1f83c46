//! AES-GMAC (RFC 4543, SP800-38D): the authentication of AES-GCM without any ciphertext, over
//! bytes that lie in several pieces.
//!
//! Written on GHASH and AES rather than on the AEAD, which takes its associated data as one
//! slice only and would have file data copied.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::Zeroize;

use super::secret::Key128;

/// Bytes of a block of AES and of GHASH.
const BLOCK: usize = 16;

/// A key of AES-GMAC, its schedule and its hash subkey computed once.
pub(super) struct Gmac {
    cipher: Aes128,
    ghash: GHash,
}

impl Gmac {
    pub(super) fn new(key: &Key128) -> Gmac {
        let cipher = Aes128::new(&(*key.expose()).into());
        let mut subkey = ghash::Key::default();
        cipher.encrypt_block(&mut subkey);
        let ghash = GHash::new(&subkey);
        subkey.zeroize();
        Gmac { cipher, ghash }
    }

    /// The tag over the concatenation of `parts`.
    pub(super) fn tag<'a>(
        &self,
        nonce: &[u8; 12],
        parts: impl Iterator<Item = &'a [u8]>,
    ) -> [u8; BLOCK] {
        let mut hash = self.ghash.clone();
        let mut pending = [0; BLOCK];
        let mut pending_len = 0;
        let mut total = 0u64;
        for part in parts {
            total += part.len() as u64;
            let mut rest = part;
            if pending_len > 0 {
                let (head, tail) = rest.split_at(rest.len().min(BLOCK - pending_len));
                pending[pending_len..pending_len + head.len()].copy_from_slice(head);
                pending_len += head.len();
                rest = tail;
                if pending_len < BLOCK {
                    continue;
                }
                hash.update(&[pending.into()]);
            }
            let whole = rest.len() - rest.len() % BLOCK;
            hash.update_padded(&rest[..whole]);
            pending_len = rest.len() - whole;
            pending[..pending_len].copy_from_slice(&rest[whole..]);
        }
        hash.update_padded(&pending[..pending_len]);

        let mut lengths = [0; BLOCK];
        lengths[..8].copy_from_slice(&(total * 8).to_be_bytes());
        hash.update(&[lengths.into()]);

        let mut counter = [0; BLOCK];
        counter[..12].copy_from_slice(nonce);
        counter[15] = 1;
        let mut tag = counter.into();
        self.cipher.encrypt_block(&mut tag);
        let mut tag: [u8; BLOCK] = tag.into();
        for (byte, hashed) in tag.iter_mut().zip(hash.finalize()) {
            *byte ^= hashed;
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_gcm::Aes128Gcm;
    use aes_gcm::aead::AeadInOut;

    /// However the bytes are cut, the tag is the AEAD's over the whole.
    #[test]
    fn agrees_with_the_aead() {
        let key = [7; 16];
        let nonce = [9; 12];
        let data: Vec<u8> = (0..131u32).map(|i| (i * 37) as u8).collect();
        let aead = <Aes128Gcm as aes_gcm::KeyInit>::new(&key.into());
        let gmac = Gmac::new(&Key128::new(key));
        for length in 0..data.len() {
            let whole = &data[..length];
            let expected =
                aead.encrypt_inout_detached(&nonce.into(), whole, (&mut [][..]).into()).unwrap();
            for cut in 0..=length {
                let (left, right) = whole.split_at(cut);
                let (middle, right) = right.split_at(right.len() / 3);
                let tag = gmac.tag(&nonce, [left, middle, &[], right].into_iter());
                assert_eq!(tag[..], expected[..], "length {length}, cut at {cut}");
            }
        }
    }
}
