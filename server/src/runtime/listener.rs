//! The listener: open only while the node reaches a quorum. Clients that
//! cannot be promised anything here are to try elsewhere, fast.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tracing::{info, warn};

use super::serve;
use crate::node::Node;
use crate::signal::Signal;

/// How often the node lease is looked at.
const LEASE_POLL: Duration = Duration::from_millis(50);
/// The pause after a socket could not be had.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The SMB listener of one node.
#[derive(Clone, Debug)]
pub struct Listener {
    node: Arc<Node>,
    address: SocketAddr,
    stop: Arc<Signal>,
}

/// Why a listener was closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closed {
    /// No quorum is reached; it may come back.
    NoQuorum,
    /// An administrator wants the node to serve nobody for now.
    Withdrawn,
    /// The incarnation is fenced, or the node stops.
    ForGood,
}

impl Listener {
    /// A listener on `address` that serves `node` until `stop` is raised or the incarnation is
    /// fenced.
    pub fn new(node: Arc<Node>, address: SocketAddr, stop: Arc<Signal>) -> Listener {
        Listener { node, address, stop }
    }

    /// Listens whenever it may; returns when it never may again. All connections are closed
    /// then; their sessions end behind it.
    pub async fn run(self) {
        while self.may_listen_soon().await {
            let listener = match TcpListener::bind(self.address).await {
                Ok(listener) => listener,
                Err(error) => {
                    warn!(address = %self.address, %error, "cannot listen");
                    self.pause(RETRY_PAUSE).await;
                    continue;
                }
            };
            info!(address = %self.address, "listening");
            let listening = self.node.service.listens();
            let closed = self.accept_all(&listener).await;
            drop(listener);
            info!(address = %self.address, ?closed, "stopped listening");
            for connection in self.node.connections() {
                connection.close(
                    "the node stops serving: no quorum, fenced, withdrawn, or shutting down",
                );
            }
            // Only now: until the connections were closed, they could still begin something.
            drop(listening);
        }
    }

    /// Waits until the node reaches a quorum and is to serve; false if it never will again.
    async fn may_listen_soon(&self) -> bool {
        loop {
            let lease = self.node.cluster.node_lease();
            if lease.is_fenced() || self.stop.is_raised() {
                return false;
            }
            if lease.is_connected() && !self.node.service.is_withdrawn() {
                return true;
            }
            self.pause(LEASE_POLL).await;
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::select! {
            biased;
            () = self.stop.wait() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    async fn accept_all(&self, listener: &TcpListener) -> Closed {
        let lease = self.node.cluster.node_lease();
        loop {
            if lease.is_fenced() || self.stop.is_raised() {
                return Closed::ForGood;
            }
            if !lease.is_connected() {
                return Closed::NoQuorum;
            }
            if self.node.service.is_withdrawn() {
                return Closed::Withdrawn;
            }
            tokio::select! {
                biased;
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.take(stream, peer),
                    Err(error) => {
                        // Out of descriptors, or the client went again.
                        warn!(%error, "a connection could not be accepted");
                        self.pause(RETRY_PAUSE).await;
                    }
                },
                () = self.pause(LEASE_POLL) => {}
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = prepare(&stream) {
            warn!(%peer, %error, "socket options refused");
            return;
        }
        let Some(connection) = self.node.add_connection(peer.to_string()) else {
            warn!(%peer, "too many connections");
            return;
        };
        info!(%peer, "connection accepted");
        tokio::spawn(serve(self.node.clone(), connection, stream));
    }
}

#[cfg(madsim)]
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)
}

/// A client that is gone without a word is noticed: by data that nobody acknowledges, and by
/// probes where there is no data.
#[cfg(not(madsim))]
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;

    use crate::limits;

    stream.set_nodelay(true)?;
    let millis = limits::TCP_USER_TIMEOUT.as_millis() as u32;
    sockopt::set_tcp_user_timeout(stream, millis)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, limits::TCP_USER_TIMEOUT)?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(5))?;
    sockopt::set_tcp_keepcnt(stream, 4)?;
    Ok(())
}

#[cfg(all(test, not(madsim)))]
mod tests;
