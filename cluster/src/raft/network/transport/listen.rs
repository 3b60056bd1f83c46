//! Accepts the other nodes' connections.
//!
//! What a connection has to prove is proved here, before anything else reads from it. Until then it
//! is a stranger's: such connections are bounded in time and number, all in all and for each
//! address, and wait for nobody else.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use futures::stream::{self, FuturesUnordered, Stream, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsStream};
use tonic::transport::server::Router;

use super::complaints::Complaints;
use super::parcel::{GREETING, hand_out};
use super::remote::Remote;
use super::wire::Wire;
use super::{PeerSecurity, ServeError, explain};

/// How long a stranger has. Longer than the dialling end waits.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(2);
/// Strangers at one time...
pub const STRANGERS_MAX: usize = 64;
/// ... and from one address.
pub const STRANGERS_OF_ADDRESS_MAX: usize = 16;
/// After a failure to accept, such as too many open files.
const REST: Duration = Duration::from_millis(100);

/// The first byte of a TLS handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Serves on `address` until `until` resolves.
///
/// # Errors
/// The address is taken, or serving fails.
pub async fn serve(
    router: Router,
    address: SocketAddr,
    security: PeerSecurity,
    until: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let listener = TcpListener::bind(address).await.map_err(ServeError::Address)?;
    let wires = accepted(listener, security).map(Ok::<Wire, io::Error>);
    router.serve_with_incoming_shutdown(wires, until).await.map_err(ServeError::Transport)
}

/// The connections that may be used.
pub fn accepted(
    listener: TcpListener,
    security: PeerSecurity,
) -> impl Stream<Item = Wire> + Send + Unpin {
    let doorway = Doorway {
        listener,
        security,
        strangers: FuturesUnordered::new(),
        of_address: BTreeMap::new(),
        complaints: Complaints::default(),
    };
    // Boxed, for it is polled in place.
    Box::pin(stream::unfold(doorway, |mut doorway| async move {
        let wire = doorway.next().await;
        Some((wire, doorway))
    }))
}

type Introduction = Pin<Box<dyn Future<Output = (IpAddr, Result<Wire, Refused>)> + Send>>;

struct Doorway {
    listener: TcpListener,
    security: PeerSecurity,
    strangers: FuturesUnordered<Introduction>,
    of_address: BTreeMap<IpAddr, usize>,
    complaints: Complaints<IpAddr>,
}

/// Why a connection is not used.
enum Refused {
    /// It ended before it said anything: somebody looked whether this node listens.
    Left,
    /// It was a new node that came for a parcel, and has it.
    Served,
    /// For people.
    Because(String),
}

impl Doorway {
    async fn next(&mut self) -> Wire {
        loop {
            tokio::select! {
                biased;
                Some((address, done)) = self.strangers.next() => {
                    self.forget(address);
                    match done {
                        Ok(wire) => return wire,
                        Err(Refused::Left) => {}
                        Err(Refused::Served) => {
                            tracing::info!(%address, "handed out a certificate for a token");
                        }
                        Err(Refused::Because(why)) => self.complain(address, &why),
                    }
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, from)) => self.receive(stream, from.ip()),
                    Err(error) => {
                        tracing::warn!(%error, "a connection of another node was not accepted");
                        sleep(REST).await;
                    }
                },
            }
        }
    }

    fn receive(&mut self, stream: TcpStream, address: IpAddr) {
        let of_address = self.of_address.get(&address).copied().unwrap_or_default();
        if self.strangers.len() >= STRANGERS_MAX || of_address >= STRANGERS_OF_ADDRESS_MAX {
            self.complain(address, "too many connections have not proved yet whose they are");
            return;
        }
        self.of_address.insert(address, of_address + 1);
        let security = self.security.clone();
        self.strangers.push(Box::pin(async move {
            let done = timeout(HANDSHAKE_MAX, introduce(stream, security)).await;
            let late = || Err(Refused::Because("it did not come through in time".to_owned()));
            (address, done.unwrap_or_else(|_| late()))
        }));
    }

    fn forget(&mut self, address: IpAddr) {
        if let Some(count) = self.of_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&address);
            }
        }
    }

    fn complain(&self, address: IpAddr, why: &str) {
        if self.complaints.is_due(address, why) {
            tracing::warn!(%address, why, "refused a connection to the nodes' port");
        }
    }
}

/// Has a stranger prove what it must.
async fn introduce(stream: TcpStream, security: PeerSecurity) -> Result<Wire, Refused> {
    let because = |error: io::Error| Refused::Because(error.to_string());
    stream.set_nodelay(true).map_err(because)?;
    let mut first = [0];
    // An end that speaks the other language is told apart before anybody chokes on it.
    match stream.peek(&mut first).await {
        Ok(0) => return Err(Refused::Left),
        Ok(_) => {}
        Err(error) => return Err(because(error)),
    }
    let speaks_tls = first[0] == TLS_HANDSHAKE;
    match (security, speaks_tls) {
        (PeerSecurity::Loopback, false) => Ok(Wire::bare(stream)),
        (PeerSecurity::Loopback, true) => Err(Refused::Because(
            "it speaks TLS, and the settings of this node name no certificates".to_owned(),
        )),
        (PeerSecurity::Certificates(credentials), false) if first[0] == GREETING[0] => {
            let Some(parcels) = credentials.parcels() else { return Err(not_tls()) };
            match hand_out(stream, parcels).await {
                Ok(true) => Err(Refused::Served),
                Ok(false) => Err(Refused::Because(
                    "it has a token that is not known here, was used already, or is over"
                        .to_owned(),
                )),
                Err(error) => Err(because(error)),
            }
        }
        (PeerSecurity::Certificates(_), false) => Err(not_tls()),
        (PeerSecurity::Certificates(credentials), true) => {
            let current = credentials.current();
            let stream = TlsAcceptor::from(current.server.clone())
                .accept(stream)
                .await
                .map_err(|error| Refused::Because(explain::handshake(&error)))?;
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
            Ok(Wire::sealed(TlsStream::Server(stream), Remote::proven(chain, credentials, current)))
        }
    }
}

fn not_tls() -> Refused {
    Refused::Because(
        "it does not speak TLS; if it is a node of this cluster, its settings must name its \
         certificates"
            .to_owned(),
    )
}
