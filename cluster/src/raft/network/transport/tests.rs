//! Who is let in, who is not, and what the log says of it.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use holdfast_proto::types::Guid;
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tracing_subscriber::fmt::MakeWriter;

use super::listen::{HANDSHAKE_MAX, STRANGERS_OF_ADDRESS_MAX, accepted};
use super::parcel::{ParcelId, Parcels, fetch_parcel};
use super::remote::RENEWAL_GRACE;
use super::wire::Wire;
use super::{CredentialsError, Dialer, PeerCredentials, PeerSecurity, peer_name};

#[path = "../../../../tests/support/authority.rs"]
mod authority;
use authority::Authority;

const CLUSTER: Guid = Guid([7; 16]);
/// Nothing here takes as long.
const SOON: Duration = Duration::from_secs(1);

/// What the log says, in a test of one thread.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn listen() -> (Said, tracing::subscriber::DefaultGuard) {
        let said = Said::default();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("debug")
            .with_ansi(false)
            .with_writer(said.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (said, guard)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }

    /// Waits until a warning holds that text.
    async fn warned(&self, what: &str) {
        let deadline = Instant::now() + HANDSHAKE_MAX + SOON;
        let holds = |text: &str| text.lines().any(|l| l.contains("WARN") && l.contains(what));
        while !holds(&self.text()) {
            assert!(Instant::now() < deadline, "no «{what}» in:\n{}", self.text());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Said {
    type Writer = Said;

    fn make_writer(&'w self) -> Said {
        self.clone()
    }
}

fn credentials(authority: &Authority, node: u64) -> Arc<PeerCredentials> {
    let identity = authority.issue(node);
    let made = PeerCredentials::new(CLUSTER, node, identity.as_bytes(), authority.pem().as_bytes());
    Arc::new(made.expect("good credentials"))
}

fn sealed(authority: &Authority, node: u64) -> PeerSecurity {
    PeerSecurity::Certificates(credentials(authority, node))
}

/// A node's port.
struct Port {
    address: SocketAddr,
    wires: mpsc::UnboundedReceiver<Wire>,
}

impl Port {
    async fn open(security: PeerSecurity) -> Port {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tx, wires) = mpsc::unbounded_channel();
        let mut accepted = accepted(listener, security);
        tokio::spawn(async move {
            while let Some(wire) = accepted.next().await {
                if tx.send(wire).is_err() {
                    return;
                }
            }
        });
        Port { address, wires }
    }

    fn dialer(&self, node: u64, security: PeerSecurity) -> Dialer {
        Dialer::new(node, self.address.to_string(), security)
    }

    /// A node that has what it needs comes in.
    async fn lets_in(&mut self, node: u64, security: PeerSecurity) -> Wire {
        let dialer = self.dialer(node, security);
        let dialled = timeout(SOON, dialer.dial()).await.expect("in time");
        let _channel = dialled.expect("a connection");
        timeout(SOON, self.wires.recv()).await.expect("in time").expect("the port is open")
    }

    fn let_nobody_in(&mut self) {
        assert!(self.wires.try_recv().is_err(), "somebody came in");
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }
}

/// A TLS client that checks nothing of its own before it dials.
fn raw_client(trusted: &Authority, identity: Option<&str>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// Dials node 1 and returns what it hears when it reads.
async fn refused_by(port: &Port, client: TlsConnector) -> String {
    let name = ServerName::try_from(peer_name(CLUSTER, 1)).unwrap();
    match client.connect(name, port.connect().await).await {
        Err(error) => error.to_string(),
        Ok(mut stream) => match timeout(SOON, stream.read(&mut [0])).await.expect("in time") {
            Ok(0) => "closed".to_owned(),
            Ok(_) => panic!("a stranger was answered"),
            Err(error) => error.to_string(),
        },
    }
}

#[tokio::test]
async fn nodes_of_one_authority_meet_under_their_own_names() {
    let (_said, _guard) = Said::listen();
    let authority = Authority::new(CLUSTER);
    let mut port = Port::open(sealed(&authority, 1)).await;
    let wire = port.lets_in(1, sealed(&authority, 2)).await;
    assert_eq!(wire.remote().speaks_for(2), Ok(()));
    let other = wire.remote().speaks_for(3).expect_err("node 2 is not node 3");
    assert!(other.contains("node 3") && other.contains("node-2."), "{other}");
}

#[tokio::test]
async fn the_node_meant_is_the_only_one_that_will_do() {
    let (said, _guard) = Said::listen();
    let authority = Authority::new(CLUSTER);
    let mut port = Port::open(sealed(&authority, 1)).await;
    let dialer = port.dialer(3, sealed(&authority, 2));
    let why = dialer.dial().await.expect_err("node 1 is not node 3");
    assert!(why.contains("node-3."), "{why}");
    said.warned("no TLS with a node").await;
    port.let_nobody_in();
    port.lets_in(1, sealed(&authority, 2)).await;
}

#[tokio::test]
async fn a_foreign_authority_is_refused_by_both_ends() {
    let (said, _guard) = Said::listen();
    let (authority, foreign) = (Authority::new(CLUSTER), Authority::new(CLUSTER));
    let mut port = Port::open(sealed(&authority, 1)).await;
    let why = port.dialer(1, sealed(&foreign, 2)).dial().await.expect_err("a foreign server");
    assert!(why.contains("no authority that is trusted here"), "{why}");
    // One that trusts the port, and shows a certificate that the port does not trust.
    let heard = refused_by(&port, raw_client(&authority, Some(&foreign.issue(2)))).await;
    assert!(heard.contains("alert") || heard.contains("closed"), "{heard}");
    said.warned("no authority that is trusted here").await;
    said.warned("refused a connection to the nodes' port").await;
    port.let_nobody_in();
    port.lets_in(1, sealed(&authority, 2)).await;
}

#[tokio::test]
async fn expired_and_missing_certificates_are_refused() {
    let (said, _guard) = Said::listen();
    let authority = Authority::new(CLUSTER);
    let mut port = Port::open(sealed(&authority, 1)).await;
    refused_by(&port, raw_client(&authority, Some(&authority.issue_until(2, 2001)))).await;
    said.warned("expired").await;
    refused_by(&port, raw_client(&authority, None)).await;
    said.warned("it shows no certificate").await;
    port.let_nobody_in();
    port.lets_in(1, sealed(&authority, 2)).await;
}

#[tokio::test]
async fn plain_text_and_tls_do_not_mix() {
    let (said, _guard) = Said::listen();
    let authority = Authority::new(CLUSTER);

    let mut port = Port::open(sealed(&authority, 1)).await;
    let mut plain = port.connect().await;
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("sent");
    said.warned("it does not speak TLS").await;
    port.let_nobody_in();
    port.lets_in(1, sealed(&authority, 2)).await;

    let mut port = Port::open(PeerSecurity::Loopback).await;
    let why = port.dialer(1, sealed(&authority, 2)).dial().await.expect_err("no TLS there");
    assert!(!why.is_empty());
    said.warned("it speaks TLS, and the settings of this node name no certificates").await;
    port.let_nobody_in();
    port.lets_in(1, PeerSecurity::Loopback).await;
}

#[tokio::test]
async fn strangers_that_stall_are_few_and_do_not_last() {
    let (said, _guard) = Said::listen();
    let authority = Authority::new(CLUSTER);
    let mut port = Port::open(sealed(&authority, 1)).await;
    let begun = Instant::now();
    let mut stalled = Vec::new();
    for _ in 0..STRANGERS_OF_ADDRESS_MAX - 1 {
        let mut stream = port.connect().await;
        stream.write_all(&[22]).await.expect("sent");
        stalled.push(stream);
    }
    // They hold up nobody.
    port.lets_in(1, sealed(&authority, 2)).await;
    assert!(begun.elapsed() < HANDSHAKE_MAX);

    stalled.push(port.connect().await);
    let mut too_many = port.connect().await;
    let heard = timeout(SOON, too_many.read(&mut [0])).await.expect("refused at once");
    assert!(matches!(heard, Ok(0) | Err(_)), "{heard:?}");
    said.warned("too many connections").await;

    for mut stream in stalled {
        let heard = timeout(HANDSHAKE_MAX + SOON, stream.read(&mut [0])).await.expect("in time");
        assert!(matches!(heard, Ok(0) | Err(_)), "{heard:?}");
    }
    said.warned("it did not come through in time").await;
    port.lets_in(1, sealed(&authority, 2)).await;
}

#[tokio::test]
async fn authorities_change_without_a_restart() {
    let (said, _guard) = Said::listen();
    let (old, new) = (Authority::new(CLUSTER), Authority::new(CLUSTER));
    let both = new.pem() + &old.pem();
    let mine = credentials(&old, 1);
    let mut port = Port::open(PeerSecurity::Certificates(mine.clone())).await;
    let first = port.lets_in(1, sealed(&old, 2)).await;
    let remote = first.remote().clone();
    assert!(timeout(Duration::from_millis(20), remote.outdated()).await.is_err());
    let distrusted = tokio::spawn(async move { remote.distrusted().await });

    mine.replace(old.issue(1).as_bytes(), both.as_bytes()).expect("both are trusted");
    let second = {
        let identity = new.issue(2);
        let made = PeerCredentials::new(CLUSTER, 2, identity.as_bytes(), both.as_bytes());
        port.lets_in(1, PeerSecurity::Certificates(Arc::new(made.unwrap()))).await
    };
    timeout(SOON, first.remote().outdated()).await.expect("others are in use");
    assert!(timeout(Duration::from_millis(20), second.remote().outdated()).await.is_err());
    assert!(!distrusted.is_finished(), "the old authority is still trusted");

    // What cannot be used changes nothing.
    mine.replace(old.issue(1).as_bytes(), new.pem().as_bytes()).expect_err("of the old authority");
    mine.replace(new.issue(3).as_bytes(), new.pem().as_bytes()).expect_err("another node's");
    assert!(!distrusted.is_finished());

    mine.replace(new.issue(1).as_bytes(), new.pem().as_bytes()).expect("the new one alone");
    let why = timeout(RENEWAL_GRACE + SOON, distrusted).await.expect("in time").expect("no panic");
    assert!(why.contains("no authority that is trusted here"), "{why}");
    let still = timeout(Duration::from_millis(50), second.remote().distrusted()).await;
    assert!(still.is_err(), "{still:?}");
    port.lets_in(1, sealed(&new, 2)).await;
    assert!(!said.text().contains("PRIVATE"), "keys are not for the log");
}

/// One parcel.
struct OneParcel(Mutex<Option<(ParcelId, Vec<u8>)>>);

impl Parcels for OneParcel {
    fn take(&self, id: &ParcelId) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().take_if(|(found, _)| found == id).map(|(_, parcel)| parcel))
    }
}

#[tokio::test]
async fn a_parcel_is_for_who_knows_its_id_and_once() {
    let (said, _guard) = Said::listen();
    let authority = Authority::new(CLUSTER);
    let identity = authority.issue(1);
    let made = PeerCredentials::new(CLUSTER, 1, identity.as_bytes(), authority.pem().as_bytes());
    let parcel = OneParcel(Mutex::new(Some(([4; 16], b"sealed".to_vec()))));
    let credentials = made.expect("good").with_parcels(Arc::new(parcel));
    let mut port = Port::open(PeerSecurity::Certificates(Arc::new(credentials))).await;
    assert_eq!(fetch_parcel(port.address, &[5; 16]).await.expect("an answer"), None);
    said.warned("a token that is not known here").await;
    let fetched = fetch_parcel(port.address, &[4; 16]).await.expect("an answer");
    assert_eq!(fetched.as_deref(), Some(&b"sealed"[..]));
    assert_eq!(fetch_parcel(port.address, &[4; 16]).await.expect("an answer"), None);
    assert!(said.text().contains("handed out a certificate for a token"));

    let mut other = port.connect().await;
    other.write_all(b"HEAD / HTTP/1.1\r\n\r\n").await.expect("sent");
    said.warned("it does not speak TLS").await;
    port.let_nobody_in();
    port.lets_in(1, sealed(&authority, 2)).await;
    // A node that keeps none says what it says to all who speak plain text.
    let port = Port::open(sealed(&authority, 1)).await;
    fetch_parcel(port.address, &[4; 16]).await.expect_err("no answer");
}

#[test]
fn what_cannot_be_used_is_told() {
    let authority = Authority::new(CLUSTER);
    let make = |identity: &str, authorities: &str| {
        PeerCredentials::new(CLUSTER, 1, identity.as_bytes(), authorities.as_bytes())
            .expect_err("not usable")
    };
    let (good, trusted) = (authority.issue(1), authority.pem());
    let (key, certificate) = good.split_at(good.find("-----BEGIN CERT").expect("a certificate"));
    assert!(matches!(make(key, &trusted), CredentialsError::NoCertificate));
    assert!(matches!(make(certificate, &trusted), CredentialsError::NoKey));
    assert!(matches!(make(&good, ""), CredentialsError::NoAuthority));
    assert!(matches!(make(&authority.issue(2), &trusted), CredentialsError::OtherNode { .. }));
    let other_cluster = Authority::new(Guid([8; 16]));
    assert!(matches!(
        make(&other_cluster.issue(1), &other_cluster.pem()),
        CredentialsError::OtherNode { .. }
    ));
    let foreign = Authority::new(CLUSTER).pem();
    assert!(matches!(make(&good, &foreign), CredentialsError::NotTrusted(_)));
    let expired = make(&authority.issue_until(1, 2001), &trusted);
    assert!(matches!(&expired, CredentialsError::NotTrusted(why) if why.contains("expired")));
    let other_key = authority.issue(1);
    let mixed = other_key[..other_key.find("-----BEGIN CERT").unwrap()].to_owned() + certificate;
    assert!(matches!(make(&mixed, &trusted), CredentialsError::Unusable(_)));
}
