//! Opens connections to another node.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};
use tonic::Status;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};

use super::complaints::Complaints;
use super::credentials::PeerCredentials;
use super::remote::Remote;
use super::wire::Wire;
use super::{PeerSecurity, describe, explain};

/// Opens the connections to one other node.
pub struct Dialer {
    peer: u64,
    address: String,
    security: PeerSecurity,
    complaints: Complaints<()>,
}

impl Dialer {
    /// To node `peer` at that address.
    pub fn new(peer: u64, address: String, security: PeerSecurity) -> Dialer {
        Dialer { peer, address, security, complaints: Complaints::default() }
    }

    /// A new connection. With certificates, the other end has proved that it is the node meant; what
    /// it thinks of this node's certificate shows in the first call.
    ///
    /// # Errors
    /// Why there is none. The caller bounds the time.
    pub async fn dial(&self) -> Result<(Channel, Remote), String> {
        let stream = TcpStream::connect(&self.address).await.map_err(|e| e.to_string())?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        let wire = match &self.security {
            PeerSecurity::Loopback => Wire::bare(stream),
            PeerSecurity::Certificates(credentials) => {
                self.seal(stream, credentials).await.inspect_err(|why| self.complain(why))?
            }
        };
        let remote = wire.remote().clone();
        let channel = endpoint(&self.address)?
            .connect_with_connector(Once(Some(wire)))
            .await
            .map_err(|error| describe(&error))?;
        Ok((channel, remote))
    }

    async fn seal(
        &self,
        stream: TcpStream,
        credentials: &Arc<PeerCredentials>,
    ) -> Result<Wire, String> {
        let name = credentials.name_of(self.peer).map_err(|error| explain::tls(&error))?;
        let current = credentials.current();
        let stream = TlsConnector::from(current.client.clone())
            .connect(name, stream)
            .await
            .map_err(|error| explain::handshake(&error))?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        let remote = Remote::proven(chain, credentials.clone(), current);
        Ok(Wire::sealed(TlsStream::Client(stream), remote))
    }

    /// What the failure of a call on a new connection means.
    pub fn explain(&self, status: &Status) -> String {
        match explain::within(status) {
            Some(why) => {
                self.complain(&why);
                why
            }
            None => describe(status),
        }
    }

    /// Attempts go on, so that this need not be said for each.
    fn complain(&self, why: &str) {
        if self.complaints.is_due((), why) {
            tracing::warn!(peer = self.peer, address = self.address, why, "no TLS with a node");
        }
    }
}

/// A peer that died in silence is noticed although nothing is asked of it.
fn endpoint(address: &str) -> Result<Endpoint, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|e| e.to_string())?;
    Ok(endpoint
        .http2_keep_alive_interval(Duration::from_millis(500))
        .keep_alive_timeout(Duration::from_secs(1))
        .keep_alive_while_idle(true))
}

/// Gives out a connection that is there already, and no other: whoever needs a new one dials.
struct Once(Option<Wire>);

impl Service<Uri> for Once {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Ready<Result<TokioIo<Wire>, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let wire = self.0.take().map(TokioIo::new);
        ready(wire.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)))
    }
}
