//! Signatures with the session key of a logon ([MS-NLMP] 3.4.4.2, 3.4.5), in the form of
//! extended session security: in SMB they protect SPNEGO's list of mechanisms only.

use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{hmac_md5, rc4};
use crate::auth::ntlmssp::NegotiateFlags;
use crate::crypto::{Key128, Secret};

/// Version field of NTLMSSP_MESSAGE_SIGNATURE.
const VERSION: [u8; 4] = [1, 0, 0, 0];

/// Who signs: each direction has keys and a count of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The client signs, the server verifies.
    ClientToServer,
    /// The server signs, the client verifies.
    ServerToClient,
}

impl Direction {
    fn signing_magic(self) -> &'static [u8] {
        match self {
            Direction::ClientToServer => {
                b"session key to client-to-server signing key magic constant\0"
            }
            Direction::ServerToClient => {
                b"session key to server-to-client signing key magic constant\0"
            }
        }
    }

    fn sealing_magic(self) -> &'static [u8] {
        match self {
            Direction::ClientToServer => {
                b"session key to client-to-server sealing key magic constant\0"
            }
            Direction::ServerToClient => {
                b"session key to server-to-client sealing key magic constant\0"
            }
        }
    }
}

/// Signs or verifies the messages of one direction, in their order.
pub struct SessionSecurity {
    signing_key: Secret<16>,
    /// With key exchange the checksum is encrypted.
    sealing: Option<Rc4>,
    sequence: u32,
}

impl SessionSecurity {
    /// From the exported session key and the flags of the AUTHENTICATE_MESSAGE. `None` without
    /// extended session security, whose older form is not served.
    pub fn new(
        session_key: &Key128,
        flags: NegotiateFlags,
        direction: Direction,
    ) -> Option<SessionSecurity> {
        if !flags.contains(NegotiateFlags::EXTENDED_SESSION_SECURITY) {
            return None;
        }
        let sealing = flags.contains(NegotiateFlags::KEY_EXCH).then(|| {
            let strength = if flags.contains(NegotiateFlags::KEY_128) {
                16
            } else if flags.contains(NegotiateFlags::KEY_56) {
                7
            } else {
                5
            };
            let mut key = md5(&session_key.expose()[..strength], direction.sealing_magic());
            let cipher = rc4(&key);
            key.zeroize();
            cipher
        });
        let signing_key = Secret::new(md5(session_key.expose(), direction.signing_magic()));
        Some(SessionSecurity { signing_key, sealing, sequence: 0 })
    }

    /// NTLMSSP_MESSAGE_SIGNATURE of the next message.
    pub fn sign(&mut self, message: &[u8]) -> [u8; 16] {
        let sequence = self.sequence.to_le_bytes();
        self.sequence = self.sequence.wrapping_add(1);
        let digest = hmac_md5(self.signing_key.expose(), &[&sequence, message]);
        let mut signature = [0; 16];
        signature[..4].copy_from_slice(&VERSION);
        signature[4..12].copy_from_slice(&digest[..8]);
        if let Some(cipher) = &mut self.sealing {
            cipher.apply_keystream(&mut signature[4..12]);
        }
        signature[12..].copy_from_slice(&sequence);
        signature
    }

    /// True if `signature` is the one of the next message. One that is not ends the exchange:
    /// the count went on.
    #[must_use]
    pub fn verify(&mut self, message: &[u8], signature: &[u8]) -> bool {
        self.sign(message).as_slice().ct_eq(signature).into()
    }
}

impl core::fmt::Debug for SessionSecurity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionSecurity").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

fn md5(key: &[u8], magic: &[u8]) -> [u8; 16] {
    Md5::new().chain_update(key).chain_update(magic).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ntlmv2::mic;
    use crate::auth::spnego::{Mechanism, encode_mech_types};
    use crate::crypto::vectors::{hex, hex_vec};

    /// [MS-NLMP] 4.2.4.4, whose cipher encrypted 18 bytes of message first.
    #[test]
    fn published_keys_and_checksum() {
        let flags = NegotiateFlags(0xE28A_8233);
        let key = Key128::new([0x55; 16]);
        let magic = Direction::ClientToServer;
        let sealing = md5(key.expose(), magic.sealing_magic());
        assert_eq!(sealing, hex("59f600973cc4960a25480a7c196e4c58"));
        let mut security = SessionSecurity::new(&key, flags, magic).unwrap();
        assert_eq!(security.signing_key.expose(), &hex("4788dc861b4782f35d43fd98fe1a2d39"));

        let plain = hex_vec("50006c00610069006e007400650078007400");
        let mut sealed = plain.clone();
        security.sealing.as_mut().unwrap().apply_keystream(&mut sealed);
        assert_eq!(sealed, hex_vec("54e50165bf1936dc996020c1811b0f06fb5f"));
        assert_eq!(security.sign(&plain), hex("010000007fb38ec5c55d497600000000"));
    }

    /// Both signatures over the list of mechanisms, and the MIC, of Microsoft's published 3.1.1
    /// example: what a Windows client and a Windows server really sent.
    #[test]
    fn windows_exchange() {
        let key = Key128::new(hex("270E1BA896585EEB7AF3472D3B4C75A7"));
        let flags = NegotiateFlags(0xE288_8215);
        let list = encode_mech_types(&[Mechanism::NTLMSSP]);
        let mut client = SessionSecurity::new(&key, flags, Direction::ClientToServer).unwrap();
        assert!(client.verify(&list, &hex::<16>("0100000063775A9A5FD97F0600000000")));
        let mut server = SessionSecurity::new(&key, flags, Direction::ServerToClient).unwrap();
        assert_eq!(server.sign(&list), hex("010000003B453CDC3524164200000000"));
        assert!(!server.verify(&list, &hex::<16>("010000003B453CDC3524164200000000")));

        let expected: [u8; 16] = hex("ECAC77A5F385A8BF9C38C706EEEDDCD3");
        let authenticate = hex_vec(WINDOWS_AUTHENTICATE);
        assert_eq!(authenticate[72..88], expected);
        let found =
            mic(&key, &hex_vec(WINDOWS_NEGOTIATE), &hex_vec(WINDOWS_CHALLENGE), &authenticate);
        assert_eq!(found, expected);
    }

    const WINDOWS_NEGOTIATE: &str =
        "4E544C4D5353500001000000978208E200000000000000000000000000000000060380250000000F";
    const WINDOWS_CHALLENGE: &str = "
        4E544C4D53535000020000000C000C003800000015828AE20D1D8BA31179D008
        000000000000000050005000440000000A0092270000000F5300550054003300
        3100310002000C0053005500540033003100310001000C005300550054003300
        3100310004000C0053005500540033003100310003000C005300550054003300
        3100310007000800A1A1F5ADCBAED00100000000";
    const WINDOWS_AUTHENTICATE: &str = "
        4E544C4D535350000300 00001800180090000000EE00EE00A80000000C000C00
        580000001A001A0064000000120012007E0000001000100096010000158288E2
        060380250000000FECAC77A5F385A8BF9C38C706EEEDDCD35300550054003300
        31003100610064006D0069006E006900730074007200610074006F0072004400
        5200490056004500520033003100310000000000000000000000000000000000
        0000000000000000 63078EB639FE03E20A231C3AE3BF23080101000000000000
        A1A1F5ADCBAED001BC4AD05F223CC90F0000000002000C005300550054003300
        3100310001000C0053005500540033003100310004000C005300550054003300
        3100310003000C0053005500540033003100310007000800A1A1F5ADCBAED001
        0600040002000000080030003000000000000000000000000030 0000B61FEFCA
        A857EA57BF1EDCEBF8974B8E0EBA5A6DFD9D07A31D11B548F8C9D0CC0A001000
        0000000000000000000000000000000009001600630069006600730 02F005300
        550054003300310031000000000000000000000000003B9BDFF38F5EE8F9663F
        11A0F4C03A78";
}
