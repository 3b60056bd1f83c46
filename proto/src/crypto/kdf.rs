//! Key derivation: SP800-108 in counter mode over HMAC-SHA256, with r = 32 and L = 128
//! ([MS-SMB2] 3.1.4.2), and the keys of one SMB 3.1.1 session ([MS-SMB2] 3.3.5.5.3).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::preauth_hash::PreauthHash;
use super::secret::Key128;

/// Labels of SMB 3.1.1, each with the terminating null that belongs to it.
pub mod label {
    /// Session.SigningKey and Channel.SigningKey.
    pub const SIGNING: &[u8] = b"SMBSigningKey\0";
    /// What the client encrypts with.
    pub const CLIENT_TO_SERVER: &[u8] = b"SMBC2SCipherKey\0";
    /// What the server encrypts with.
    pub const SERVER_TO_CLIENT: &[u8] = b"SMBS2CCipherKey\0";
    /// Session.ApplicationKey.
    pub const APPLICATION: &[u8] = b"SMBAppKey\0";
}

/// Derives 128 bits from `key`. One round of the counter yields them, since the function's
/// output is twice as long.
pub fn derive_key(key: &Key128, label: &[u8], context: &[u8]) -> Key128 {
    const COUNTER: u32 = 1;
    const OUTPUT_BITS: u32 = 128;

    let mut mac = keyed(key);
    mac.update(&COUNTER.to_be_bytes());
    mac.update(label);
    mac.update(&[0]);
    mac.update(context);
    mac.update(&OUTPUT_BITS.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let mut output = [0; 16];
    output.copy_from_slice(&digest[..16]);
    Key128::new(output)
}

fn keyed(key: &Key128) -> Hmac<Sha256> {
    // A block of SHA-256 is 64 bytes: a shorter key is padded with zeros, which is what HMAC
    // does with it anyway, and this constructor cannot fail.
    let mut block = [0; 64];
    block[..16].copy_from_slice(key.expose());
    Hmac::<Sha256>::new(&block.into())
}

/// The four keys of a session. A channel that was bound to it has a signing key of its own,
/// derived from the same kind of context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeys {
    /// Signs in both directions.
    pub signing: Key128,
    /// Encrypts from client to server.
    pub client_to_server: Key128,
    /// Encrypts from server to client.
    pub server_to_client: Key128,
    /// Handed to applications that ask for it.
    pub application: Key128,
}

impl SessionKeys {
    /// Derives the keys of an SMB 3.1.1 session from Session.SessionKey (the first 16 bytes of
    /// what the authentication yielded) and Session.PreauthIntegrityHashValue.
    pub fn derive(session_key: &Key128, preauth: &PreauthHash) -> SessionKeys {
        let context = preauth.as_bytes();
        SessionKeys {
            signing: derive_key(session_key, label::SIGNING, context),
            client_to_server: derive_key(session_key, label::CLIENT_TO_SERVER, context),
            server_to_client: derive_key(session_key, label::SERVER_TO_CLIENT, context),
            application: derive_key(session_key, label::APPLICATION, context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::hex;

    /// The worked example for dialect 3.1.1 that Microsoft published with the dialect.
    #[test]
    fn published_example() {
        let session_key = Key128::new(hex("270E1BA896585EEB7AF3472D3B4C75A7"));
        let preauth = PreauthHash::from_bytes(hex(concat!(
            "0DD13628CC3ED218EF9DF9772D436D0887AB9814BFAE63A80AA845F36909DB79",
            "28622DDDAD522D9751640A459762C5A9D6BB084CBB3CE6BDADEF5D5BCE3C6C01"
        )));
        let keys = SessionKeys::derive(&session_key, &preauth);
        assert_eq!(keys.signing.expose(), &hex("73FE7A9A77BEF0BDE49C650D8CCB5F76"));
        assert_eq!(keys.client_to_server.expose(), &hex("629BCBC54422A0F572B97F45989B6073"));
        assert_eq!(keys.server_to_client.expose(), &hex("E2AF0DCEFAC68DA71A0DFBD0D1350D74"));
        assert_eq!(keys.application.expose(), &hex("6D7AD7954E9EC61E907B4D473DC178FF"));
    }

    /// The example for 3.0, whose labels and contexts are other strings for the same function.
    #[test]
    fn older_labels() {
        let session_key = Key128::new(hex("7CD451825D0450D235424E44BA6E78CC"));
        let signing = derive_key(&session_key, b"SMB2AESCMAC\0", b"SmbSign\0");
        assert_eq!(signing.expose(), &hex("0B7E9C5CAC36C0F6EA9AB275298CEDCE"));
    }
}
