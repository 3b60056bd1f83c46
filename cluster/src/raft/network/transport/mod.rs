//! What carries a stream between two nodes: TCP, bare or within TLS.
//!
//! Bare TCP stays on this host's loopback. Beyond it both ends show a certificate of the cluster's
//! authority ([`PeerCredentials`]); the asking node demands the name of the node that it means, the
//! answering one the name of the node that the handshake's first frame claims. Certificates are
//! checked again when a node's own are replaced: who is not trusted any more loses its streams.
//!
//! The simulator's transport hands over objects and has nothing to seal: there this is a shell.

#[cfg(not(madsim))]
mod complaints;
#[cfg(not(madsim))]
mod credentials;
#[cfg(not(madsim))]
mod dial;
#[cfg(not(madsim))]
mod explain;
#[cfg(not(madsim))]
mod listen;
#[cfg(not(madsim))]
mod parcel;
#[cfg(not(madsim))]
mod remote;
#[cfg(madsim)]
mod simulated;
#[cfg(all(test, not(madsim)))]
mod tests;
#[cfg(not(madsim))]
mod wire;

use std::fmt;

use holdfast_proto::types::Guid;

#[cfg(not(madsim))]
pub use credentials::{CredentialsError, PeerCredentials};
#[cfg(not(madsim))]
pub use dial::Dialer;
#[cfg(not(madsim))]
pub use listen::serve;
#[cfg(not(madsim))]
pub use parcel::{ParcelId, Parcels, fetch_parcel};
#[cfg(not(madsim))]
pub use remote::Remote;
#[cfg(madsim)]
pub use simulated::{Dialer, Remote, serve};

/// How the nodes of a cluster know each other, and what keeps others from listening.
#[derive(Clone, Debug)]
pub enum PeerSecurity {
    /// Nothing: they share a host, and talk over its loopback alone.
    Loopback,
    /// Nothing: the network is the simulator's.
    #[cfg(madsim)]
    Simulated,
    /// Certificates of the cluster's authority on both sides, and TLS 1.3.
    #[cfg(not(madsim))]
    Certificates(std::sync::Arc<PeerCredentials>),
}

impl PeerSecurity {
    /// True if nodes may be on different hosts.
    pub fn reaches_other_hosts(&self) -> bool {
        !matches!(self, PeerSecurity::Loopback)
    }
}

/// The name that a node's certificate bears, as a DNS name in its subjectAltName.
pub fn peer_name(cluster_id: Guid, node: u64) -> String {
    format!("node-{node}.{cluster_id}.holdfast")
}

/// An error with its causes: the transport's own text alone says nothing.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Why the other nodes are not served.
#[derive(Debug)]
pub enum ServeError {
    /// The address cannot be had.
    #[cfg(not(madsim))]
    Address(std::io::Error),
    /// Serving ended.
    Transport(tonic::transport::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(not(madsim))]
            ServeError::Address(error) => write!(f, "{error}"),
            ServeError::Transport(error) => write!(f, "{}", describe(error)),
        }
    }
}
