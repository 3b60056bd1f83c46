//! NTOWF: what a server keeps in place of a password ([MS-NLMP] 3.3.1, 3.3.2).

use md4::{Digest, Md4};
use zeroize::Zeroize;

use super::hmac_md5;
use crate::crypto::{Key128, Secret};

/// MD4 of the password's UTF-16. As good as the password itself to who wants to log on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NtHash(Secret<16>);

impl NtHash {
    /// Of a password.
    pub fn of_password(password: &str) -> NtHash {
        let mut hash = Md4::new();
        for unit in password.encode_utf16() {
            let mut bytes = unit.to_le_bytes();
            hash.update(bytes);
            bytes.zeroize();
        }
        NtHash(Secret::new(hash.finalize().into()))
    }

    /// One that was kept.
    pub const fn from_bytes(bytes: [u8; 16]) -> NtHash {
        NtHash(Secret::new(bytes))
    }

    /// The bytes, to be kept where nobody else reads.
    pub const fn expose(&self) -> &[u8; 16] {
        self.0.expose()
    }

    /// NTOWFv2: bound to the user's name in capitals and to the domain as it was given.
    pub(super) fn v2(&self, user: &str, domain: &str) -> Key128 {
        let mut identity = Vec::with_capacity((user.len() + domain.len()) * 2);
        for unit in user.chars().map(to_upper).collect::<String>().encode_utf16() {
            identity.extend_from_slice(&unit.to_le_bytes());
        }
        for unit in domain.encode_utf16() {
            identity.extend_from_slice(&unit.to_le_bytes());
        }
        Key128::new(hmac_md5(self.expose(), &[&identity]))
    }
}

/// One capital for one letter, as Windows has it: what would become several letters stays.
fn to_upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::hex;

    /// [MS-NLMP] 4.2.2.1.2 and 4.2.4.1.1.
    #[test]
    fn published_values() {
        let hash = NtHash::of_password("Password");
        assert_eq!(hash.expose(), &hex("a4f49c406510bdcab6824ee7c30fd852"));
        let v2 = hash.v2("User", "Domain");
        assert_eq!(v2.expose(), &hex("0c868a403bfd7a93a3001ef22ef02e3f"));
        assert_eq!(hash.v2("uSER", "Domain"), v2);
        assert_ne!(hash.v2("User", "DOMAIN"), v2);
    }

    #[test]
    fn capitals_are_one_for_one() {
        assert_eq!(to_upper('ß'), 'ß');
        assert_eq!(to_upper('ü'), 'Ü');
    }
}
