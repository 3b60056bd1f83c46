//! This node's certificate and key, and the authorities that it trusts.
//!
//! They can be replaced while the node runs: connections that begin later use the new ones, and the
//! others go on as long as the new authorities vouch for who is at the other end.

use std::fmt;
use std::sync::Arc;

use holdfast_proto::types::Guid;
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, Error as Tls, RootCertStore, ServerConfig};
use tokio::sync::watch;

use super::{Parcels, explain, peer_name};

/// What HTTP/2 calls itself in TLS.
const PROTOCOL: &[u8] = b"h2";

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("the node's file holds no certificate (BEGIN CERTIFICATE)")]
    NoCertificate,
    #[error("the node's file holds no private key (BEGIN PRIVATE KEY)")]
    NoKey,
    #[error("the authorities' file holds no certificate (BEGIN CERTIFICATE)")]
    NoAuthority,
    #[error("the {what} cannot be read: {error}")]
    Pem { what: &'static str, error: pem::Error },
    #[error("the certificate is not this node's: it must bear the name {expected}; {why}")]
    OtherNode { expected: String, why: String },
    #[error("the node's own certificate is not good by its own authorities: {0}")]
    NotTrusted(String),
    #[error("certificate and key do not go together, or are of a kind that is not known: {0}")]
    Unusable(Tls),
}

/// A node's certificate and key, and the authorities that it trusts.
pub struct PeerCredentials {
    cluster_id: Guid,
    node: u64,
    current: watch::Sender<Arc<Current>>,
    parcels: Option<Arc<dyn Parcels>>,
}

/// What is in use.
pub struct Current {
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl fmt::Debug for PeerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCredentials({})", peer_name(self.cluster_id, self.node))
    }
}

impl PeerCredentials {
    /// From PEM: `identity` holds the node's private key and certificate, with those between it and
    /// an authority if there are any; `authorities` every certificate that is trusted.
    ///
    /// # Errors
    /// They are not this node's, or cannot be used.
    pub fn new(
        cluster_id: Guid,
        node: u64,
        identity: &[u8],
        authorities: &[u8],
    ) -> Result<PeerCredentials, CredentialsError> {
        let current = load(cluster_id, node, identity, authorities)?;
        let current = watch::Sender::new(Arc::new(current));
        Ok(PeerCredentials { cluster_id, node, current, parcels: None })
    }

    /// The same, of a node that keeps parcels for new ones.
    pub fn with_parcels(self, parcels: Arc<dyn Parcels>) -> PeerCredentials {
        PeerCredentials { parcels: Some(parcels), ..self }
    }

    /// What the node keeps for new ones.
    pub(super) fn parcels(&self) -> Option<&dyn Parcels> {
        self.parcels.as_deref()
    }

    /// Takes others from now on.
    ///
    /// # Errors
    /// They are not this node's, or cannot be used; the ones in use stay.
    pub fn replace(&self, identity: &[u8], authorities: &[u8]) -> Result<(), CredentialsError> {
        let current = load(self.cluster_id, self.node, identity, authorities)?;
        self.current.send_replace(Arc::new(current));
        Ok(())
    }

    /// What is in use now.
    pub(super) fn current(&self) -> Arc<Current> {
        self.current.borrow().clone()
    }

    /// Whether other credentials are in use now than those.
    pub(super) fn is_since(&self, earlier: &Arc<Current>) -> bool {
        !Arc::ptr_eq(&self.current.borrow(), earlier)
    }

    /// Tells of replacements.
    pub(super) fn changes(&self) -> watch::Receiver<Arc<Current>> {
        self.current.subscribe()
    }

    /// The name by which another node is dialled.
    pub(super) fn name_of(&self, node: u64) -> Result<ServerName<'static>, Tls> {
        server_name(self.cluster_id, node)
    }

    /// Whether the chain's first certificate bears the node's name.
    pub(super) fn bears_name(&self, chain: &[CertificateDer<'_>], node: u64) -> Result<(), Tls> {
        bears_name(chain, &self.name_of(node)?)
    }

    /// Whether the authorities in use now vouch for the chain.
    pub(super) fn trusts(&self, chain: &[CertificateDer<'_>]) -> Result<(), Tls> {
        let (first, rest) = chain.split_first().ok_or(Tls::NoCertificatesPresented)?;
        let verifier = &self.current().verifier;
        verifier.verify_client_cert(first, rest, UnixTime::now()).map(drop)
    }
}

fn server_name(cluster_id: Guid, node: u64) -> Result<ServerName<'static>, Tls> {
    ServerName::try_from(peer_name(cluster_id, node))
        .map_err(|invalid| Tls::General(invalid.to_string()))
}

fn bears_name(chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Result<(), Tls> {
    let first = chain.first().ok_or(Tls::NoCertificatesPresented)?;
    verify_server_name(&ParsedCertificate::try_from(first)?, name)
}

fn load(
    cluster_id: Guid,
    node: u64,
    identity: &[u8],
    authorities: &[u8],
) -> Result<Current, CredentialsError> {
    let chain = certificates(identity, "node's certificate")?;
    if chain.is_empty() {
        return Err(CredentialsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(identity).map_err(|error| match error {
        pem::Error::NoItemsFound => CredentialsError::NoKey,
        error => CredentialsError::Pem { what: "node's key", error },
    })?;
    let roots = roots(authorities)?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        // Strangers are not told whose certificates would do.
        .clear_root_hint_subjects()
        .build()
        .map_err(|error| CredentialsError::NotTrusted(error.to_string()))?;
    let name = server_name(cluster_id, node).map_err(CredentialsError::Unusable)?;
    bears_name(&chain, &name).map_err(|error| CredentialsError::OtherNode {
        expected: peer_name(cluster_id, node),
        why: explain::tls(&error),
    })?;
    check_own(&chain, &roots, verifier.as_ref(), &provider)
        .map_err(|error| CredentialsError::NotTrusted(explain::tls(&error)))?;
    configure(chain, key, roots, verifier, provider).map_err(CredentialsError::Unusable)
}

fn certificates(
    text: &[u8],
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|error| CredentialsError::Pem { what, error })
}

fn roots(authorities: &[u8]) -> Result<Arc<RootCertStore>, CredentialsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authorities, "authorities' file")? {
        roots.add(authority).map_err(CredentialsError::Unusable)?;
    }
    if roots.is_empty() {
        return Err(CredentialsError::NoAuthority);
    }
    Ok(Arc::new(roots))
}

/// What the others would say of this node's own certificate: it is shown as a client's and as a
/// server's.
fn check_own(
    chain: &[CertificateDer<'_>],
    roots: &RootCertStore,
    verifier: &dyn ClientCertVerifier,
    provider: &CryptoProvider,
) -> Result<(), Tls> {
    let (first, rest) = chain.split_first().ok_or(Tls::NoCertificatesPresented)?;
    let now = UnixTime::now();
    verifier.verify_client_cert(first, rest, now)?;
    let algorithms = provider.signature_verification_algorithms.all;
    let parsed = ParsedCertificate::try_from(first)?;
    verify_server_cert_signed_by_trust_anchor(&parsed, roots, rest, now, algorithms)
}

fn configure(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: Arc<RootCertStore>,
    verifier: Arc<dyn ClientCertVerifier>,
    provider: Arc<CryptoProvider>,
) -> Result<Current, Tls> {
    let mut server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier.clone())
        .with_single_cert(chain.clone(), key.clone_key())?;
    server.alpn_protocols = vec![PROTOCOL.to_vec()];
    // A resumed session would stand on certificates that were checked some time ago.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    client.alpn_protocols = vec![PROTOCOL.to_vec()];
    client.resumption = Resumption::disabled();
    // The address says which node is meant; the name would travel in plain text.
    client.enable_sni = false;
    Ok(Current { server: Arc::new(server), client: Arc::new(client), verifier })
}
