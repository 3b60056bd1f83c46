//! The keys of one session and the rules for their use ([MS-SMB2] 3.3.1.8, 3.3.4.1).
//!
//! Invariant: a nonce is used once. It is a counter of the session's own; the two directions
//! have keys of their own, and reauthentication keeps keys and counter.

use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_proto::crypto::{
    Cipher, EncryptionKey, Key128, SessionKeys, SigningAlgorithm, SigningKey,
};
use holdfast_proto::types::SessionId;

/// What was negotiated for the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecurityTerms {
    pub signing: SigningAlgorithm,
    /// None: the client cannot encrypt.
    pub cipher: Option<Cipher>,
    /// Session.EncryptData: every request has to come encrypted.
    pub encrypt_data: bool,
}

/// Keys of a session, ready for use.
#[derive(Debug)]
pub struct SessionSecurity {
    id: SessionId,
    terms: SecurityTerms,
    signing: SigningKey,
    /// Decrypts what the client sends.
    inbound: Option<EncryptionKey>,
    /// Encrypts what it is sent.
    outbound: Option<EncryptionKey>,
    /// Nonces used so far.
    nonces: AtomicU64,
    application: Key128,
}

impl SessionSecurity {
    /// Makes the derived keys ready.
    pub fn new(id: SessionId, terms: SecurityTerms, keys: &SessionKeys) -> SessionSecurity {
        let cipher = |key| terms.cipher.map(|cipher| EncryptionKey::new(cipher, key));
        SessionSecurity {
            id,
            terms,
            signing: SigningKey::new(terms.signing, &keys.signing),
            inbound: cipher(&keys.client_to_server),
            outbound: cipher(&keys.server_to_client),
            nonces: AtomicU64::new(0),
            application: keys.application.clone(),
        }
    }

    /// The session that the keys belong to.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What was negotiated.
    pub fn terms(&self) -> SecurityTerms {
        self.terms
    }

    /// True if the session can encrypt at all.
    pub fn can_encrypt(&self) -> bool {
        self.outbound.is_some()
    }

    /// Signs in both directions.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// What the client encrypts with.
    pub fn inbound(&self) -> Option<&EncryptionKey> {
        self.inbound.as_ref()
    }

    /// What the client is sent is encrypted with it, under [`SessionSecurity::next_nonce`].
    pub fn outbound(&self) -> Option<&EncryptionKey> {
        self.outbound.as_ref()
    }

    /// A nonce that this session's outbound key never saw.
    pub fn next_nonce(&self) -> [u8; 16] {
        // 2^64 messages are never sent, so the counter does not come round.
        let count = self.nonces.fetch_add(1, Ordering::Relaxed);
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&count.to_le_bytes());
        nonce
    }

    /// Session.ApplicationKey: what other services on top derive from.
    pub fn application_key(&self) -> &Key128 {
        &self.application
    }
}
