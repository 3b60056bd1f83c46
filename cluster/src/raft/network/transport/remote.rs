//! Who is at the other end of a connection, and what it has proved.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::time::sleep;
use tonic::{Request, Status};

use super::credentials::{Current, PeerCredentials};
use super::explain;

/// How long a stream to who is not trusted any more goes on: its end may be about to be opened anew,
/// with certificates that are.
pub const RENEWAL_GRACE: Duration = Duration::from_secs(3);

/// Who is at the other end of a connection.
#[derive(Clone)]
pub struct Remote(Option<Arc<Proven>>);

/// What a TLS handshake has proved: the other end holds the key of that certificate.
struct Proven {
    /// Its own certificate first.
    chain: Vec<CertificateDer<'static>>,
    credentials: Arc<PeerCredentials>,
    /// What was in use at the handshake.
    under: Arc<Current>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Remote(proven)" } else { "Remote(this host)" })
    }
}

impl Remote {
    /// Somebody on this host's loopback, where nothing is proved.
    pub fn unproven() -> Remote {
        Remote(None)
    }

    /// Who showed that chain in a handshake that is through.
    pub(super) fn proven(
        chain: Vec<CertificateDer<'static>>,
        credentials: Arc<PeerCredentials>,
        under: Arc<Current>,
    ) -> Remote {
        Remote(Some(Arc::new(Proven { chain, credentials, under })))
    }

    /// Who sent that request.
    ///
    /// # Errors
    /// The server below does not say; nobody is trusted then.
    pub fn of<T>(request: &Request<T>) -> Result<Remote, Status> {
        let remote = request.extensions().get::<Remote>().cloned();
        remote.ok_or_else(|| Status::internal("a connection that nobody accepted"))
    }

    /// Whether it may speak for that node: its certificate bears the node's name.
    ///
    /// # Errors
    /// It may not, for people.
    pub fn speaks_for(&self, node: u64) -> Result<(), String> {
        let Some(proven) = &self.0 else { return Ok(()) };
        proven.credentials.bears_name(&proven.chain, node).map_err(|error| {
            format!("its certificate does not say node {node}: {}", explain::tls(&error))
        })
    }

    /// Resolves, with the reason, once this node's own authorities are others and do not vouch for
    /// it any more. Never for who has proved nothing.
    pub async fn distrusted(&self) -> String {
        let Some(proven) = &self.0 else { return pending().await };
        let mut changes = proven.credentials.changes();
        // A stream may begin on a connection that was made under other authorities.
        let mut grace = Duration::ZERO;
        loop {
            changes.mark_unchanged();
            if let Err(error) = proven.credentials.trusts(&proven.chain) {
                if grace.is_zero() {
                    return explain::tls(&error);
                }
                sleep(grace).await;
                grace = Duration::ZERO;
                continue;
            }
            grace = RENEWAL_GRACE;
            if changes.changed().await.is_err() {
                return pending().await;
            }
        }
    }

    /// Resolves once this node's own certificates were replaced after `self` was met: what is open
    /// to it is to be opened anew.
    pub async fn outdated(&self) {
        let Some(proven) = &self.0 else { return pending().await };
        let mut changes = proven.credentials.changes();
        if !proven.credentials.is_since(&proven.under) && changes.changed().await.is_err() {
            pending().await
        }
    }
}
