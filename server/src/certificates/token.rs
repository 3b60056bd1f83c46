//! Tokens: what a new node is given to fetch its certificate with.
//!
//! A token says where the parcel lies and holds a secret, of which both the parcel's id and the key
//! that opens it are made. Who has a token can become that node until it is used or over; who keeps
//! the parcel, or listens on its way, has nothing of it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use holdfast_cluster::ports::Random;
use holdfast_cluster::raft::ParcelId;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

/// How a token begins.
const PREFIX: &str = "holdfast1";
const SECRET: usize = 32;

/// A new node's token.
pub struct Token {
    /// The node where the parcel lies.
    pub address: SocketAddr,
    secret: Zeroizing<[u8; SECRET]>,
}

/// What a parcel holds, in PEM.
#[derive(PartialEq, Eq)]
pub struct Parcel {
    /// The node's key and certificate.
    pub identity: Zeroizing<String>,
    /// The authorities that it is to trust.
    pub authorities: Vec<u8>,
}

impl Token {
    /// A new one, for a parcel that will lie at that node.
    pub fn new(address: SocketAddr, random: &dyn Random) -> Token {
        let mut secret = Zeroizing::new([0; SECRET]);
        random.fill(&mut *secret);
        Token { address, secret }
    }

    /// What names the parcel.
    pub fn parcel_id(&self) -> ParcelId {
        let mut id = ParcelId::default();
        id.copy_from_slice(&self.derived(b"parcel id")[..size_of::<ParcelId>()]);
        id
    }

    /// The parcel as it is kept and travels.
    pub fn seal(&self, parcel: &Parcel) -> Vec<u8> {
        let identity = parcel.identity.as_bytes();
        let mut content = (identity.len() as u64).to_be_bytes().to_vec();
        content.extend_from_slice(identity);
        content.extend_from_slice(&parcel.authorities);
        // Of lengths that no memory has alone.
        self.key()
            .seal_in_place_append_tag(nonce(), Aad::from(self.parcel_id()), &mut content)
            .expect("a parcel is short enough to be sealed");
        content
    }

    /// What is in a parcel.
    ///
    /// # Errors
    /// It was not sealed by this token's maker.
    pub fn open(&self, mut sealed: Vec<u8>) -> Result<Parcel, &'static str> {
        const WRONG: &str = "what was fetched does not belong to this token";
        let content = self
            .key()
            .open_in_place(nonce(), Aad::from(self.parcel_id()), &mut sealed)
            .map_err(|_| WRONG)?;
        let (length, rest) = content.split_first_chunk().ok_or(WRONG)?;
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| WRONG)?;
        let (identity, authorities) = rest.split_at_checked(length).ok_or(WRONG)?;
        let identity = std::str::from_utf8(identity).map_err(|_| WRONG)?;
        Ok(Parcel {
            identity: Zeroizing::new(identity.to_owned()),
            authorities: authorities.to_vec(),
        })
    }

    fn key(&self) -> LessSafeKey {
        let bytes = Zeroizing::new(self.derived(b"parcel key"));
        let key = UnboundKey::new(&AES_256_GCM, &*bytes);
        LessSafeKey::new(key.expect("SHA-256 gives as many bytes as AES-256 takes"))
    }

    fn derived(&self, what: &[u8]) -> [u8; 32] {
        let mut text = Zeroizing::new(b"holdfast token, ".to_vec());
        text.extend_from_slice(what);
        text.extend_from_slice(&*self.secret);
        let mut derived = [0; 32];
        derived.copy_from_slice(digest(&SHA256, &text).as_ref());
        derived
    }
}

/// Each key seals one message.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl fmt::Display for Token {
    /// The secret is in it: for whom the token is meant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX},{},", self.address)?;
        self.secret.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Token, &'static str> {
        const WRONG: &str = "this is no token; one looks like holdfast1,192.0.2.1:14451,0123… and \
                             is printed by «holdfast cluster certificates token»";
        let mut parts = text.trim().split(',');
        if parts.next() != Some(PREFIX) {
            return Err(WRONG);
        }
        let address = parts.next().and_then(|part| part.parse().ok()).ok_or(WRONG)?;
        let digits = parts.next().filter(|digits| digits.len() == 2 * SECRET).ok_or(WRONG)?;
        let mut secret = Zeroizing::new([0; SECRET]);
        for (byte, digits) in secret.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| WRONG)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| WRONG)?;
        }
        match parts.next() {
            None => Ok(Token { address, secret }),
            Some(_) => Err(WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::HostRandom;

    fn parcel() -> Parcel {
        Parcel {
            identity: Zeroizing::new("key and certificate".to_owned()),
            authorities: b"authorities".to_vec(),
        }
    }

    #[test]
    fn a_token_opens_its_parcel_and_no_other() {
        let address = "192.0.2.1:14451".parse().unwrap();
        let token = Token::new(address, &HostRandom);
        let read: Token = format!("{token}\n").parse().unwrap();
        assert_eq!(read.address, address);
        assert_eq!(read.parcel_id(), token.parcel_id());
        let sealed = token.seal(&parcel());
        assert!(read.open(sealed.clone()).is_ok_and(|opened| opened == parcel()));

        let other = Token::new(address, &HostRandom);
        assert_ne!(other.parcel_id(), token.parcel_id());
        assert!(other.open(sealed.clone()).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(token.open(changed).is_err(), "changed at {at}");
        }
        assert!(token.open(Vec::new()).is_err());
    }

    #[test]
    fn what_is_no_token_is_told() {
        let good = Token::new("[::1]:9".parse().unwrap(), &HostRandom).to_string();
        assert!(good.parse::<Token>().is_ok());
        for wrong in [
            String::new(),
            good.replace(PREFIX, "holdfast2"),
            good.replace("[::1]:9", "nowhere"),
            good[..good.len() - 2].to_owned(),
            good.clone() + "00",
            good.clone() + ",",
            good[..good.len() - 1].to_owned() + "g",
        ] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }
}
