//! The transport under the simulator: its own, as it is.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::{PeerSecurity, ServeError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens the streams to one other node.
pub struct Dialer {
    address: String,
}

impl Dialer {
    /// To node `_peer` at that address.
    pub fn new(_peer: u64, address: String, _security: PeerSecurity) -> Dialer {
        Dialer { address }
    }

    /// A new connection.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn dial(&self) -> Result<(Channel, Remote), String> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))
            .map_err(|e| e.to_string())?
            .connect_timeout(CONNECT_TIMEOUT);
        let channel = endpoint.connect().await.map_err(|e| e.to_string())?;
        Ok((channel, Remote))
    }

    /// What the failure of a call on a new connection means.
    pub fn explain(&self, status: &Status) -> String {
        status.to_string()
    }
}

/// Who is at the other end, as far as the transport knows.
#[derive(Clone, Debug)]
pub struct Remote;

impl Remote {
    /// Who sent that request.
    ///
    /// # Errors
    /// None here.
    pub fn of<T>(_request: &Request<T>) -> Result<Remote, Status> {
        Ok(Remote)
    }

    /// Whether it may speak for that node.
    ///
    /// # Errors
    /// None here.
    pub fn speaks_for(&self, _node: u64) -> Result<(), String> {
        Ok(())
    }

    /// Resolves once what is open to it is to be opened anew: never here.
    pub async fn outdated(&self) {
        std::future::pending().await
    }

    /// Resolves once it is not trusted any more: never here.
    pub async fn distrusted(&self) -> String {
        std::future::pending().await
    }
}

/// Serves on `address` until `until` resolves.
///
/// # Errors
/// The address is taken, or accepting fails.
pub async fn serve(
    router: Router,
    address: SocketAddr,
    _security: PeerSecurity,
    until: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    router.serve_with_shutdown(address, until).await.map_err(ServeError::Transport)
}
