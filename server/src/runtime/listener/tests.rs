//! Listeners and what they do to the connections that came through them, over real sockets.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{DurableHandleFlags, DurableHandleRequestV2, ImpersonationLevel};
use holdfast_proto::msg::{CreateContexts, CreateRequest};
use holdfast_proto::types::{
    AccessMask, CreateDisposition, CreateOptions, FileAttributes, Guid, OplockLevel, ShareAccess,
    VolumeId,
};
use rustix::net::sockopt;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::limits;
use crate::ports::Cluster;
use crate::service;
use crate::testing::{self, LocalCluster, WireClient};
use crate::vfs::memory::MemoryVolume;

const SOON: Duration = Duration::from_secs(5);

struct Served {
    node: Arc<Node>,
    cluster: Arc<LocalCluster>,
    address: SocketAddr,
    listener: JoinHandle<()>,
    stop: Arc<Signal>,
}

impl Served {
    fn begin() -> Served {
        let (node, cluster) = testing::node(BTreeMap::from([(
            VolumeId(1),
            Arc::new(MemoryVolume::new(VolumeId(1))) as Arc<dyn crate::ports::Vfs>,
        )]));
        // Given back at once: nobody else asks for it in between, or the test says so.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let stop = Arc::<Signal>::default();
        let listener = tokio::spawn(Listener::new(node.clone(), address, stop.clone()).run());
        Served { node, cluster, address, listener, stop }
    }

    async fn connect(&self) -> TcpStream {
        let connected = async {
            loop {
                if let Ok(stream) = TcpStream::connect(self.address).await {
                    return stream;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, connected).await.expect("it listens")
    }

    async fn refuses(&self) -> bool {
        matches!(
            TcpStream::connect(self.address).await,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused
        )
    }

    fn lease(&self) -> &crate::ports::NodeLease {
        self.node.cluster.node_lease()
    }
}

#[track_caller]
fn is_end(read: std::io::Result<usize>) {
    match read {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("the connection was not closed: {other:?}"),
    }
}

async fn shown_out(mut stream: TcpStream) {
    is_end(timeout(SOON, stream.read(&mut [0; 16])).await.expect("the node closes it"));
}

#[tokio::test]
async fn without_a_quorum_nobody_is_let_in_and_all_are_shown_out() {
    let served = Served::begin();
    let client = served.connect().await;
    served.lease().set_connected(false);
    shown_out(client).await;
    assert!(served.refuses().await, "clients are to try elsewhere, fast");
    served.lease().set_connected(true);
    drop(served.connect().await);
    served.stop.raise();
    timeout(SOON, served.listener).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_fenced_node_never_listens_again() {
    let served = Served::begin();
    let client = served.connect().await;
    served.lease().set_fenced();
    shown_out(client).await;
    assert!(served.refuses().await);
    let Served { listener, .. } = served;
    timeout(SOON, listener).await.expect("it ends for good").unwrap();
}

#[tokio::test]
async fn a_withdrawn_node_gives_back_what_it_served_and_can_resume() {
    let served = Served::begin();
    let idle = served.connect().await;
    let mut client = WireClient::on_share(&served.node, "data").await;
    let durable = DurableHandleRequestV2 {
        timeout: 0,
        flags: DurableHandleFlags::PERSISTENT,
        create_guid: Guid([9; 16]),
    };
    let request = CreateRequest {
        security_flags: 0,
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::FILE_ALL,
        file_attributes: FileAttributes::NONE,
        share_access: ShareAccess::NONE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: CreateOptions::NONE,
        name: "lasting".to_owned(),
        contexts: CreateContexts { durable_request_v2: Some(durable), ..Default::default() },
    };
    assert_eq!(client.call(request).await.0.status, NtStatus::SUCCESS);

    assert!(service::withdraw(&served.node, SOON).await);
    shown_out(idle).await;
    assert!(client.receive().await.is_none(), "the connection is closed");
    assert!(served.refuses().await);
    let state = served.cluster.state();
    assert_eq!(state.sessions().count(), 0);
    let open = state.opens().next().expect("the persistent open waits for its client").1;
    assert!(open.is_disconnected());
    assert!(service::withdraw(&served.node, SOON).await, "again changes nothing");

    served.node.service.resume();
    drop(served.connect().await);
}

#[tokio::test]
async fn a_withdrawal_waits_until_the_log_has_the_end_of_every_session() {
    let served = Served::begin();
    drop(served.connect().await);
    let client = WireClient::on_share(&served.node, "data").await;
    served.cluster.set_leaderless(true);
    assert!(!service::withdraw(&served.node, Duration::from_millis(300)).await);
    served.cluster.set_leaderless(false);
    assert!(service::withdraw(&served.node, SOON).await);
    assert_eq!(served.cluster.state().sessions().count(), 0);
    drop(client);
}

#[tokio::test]
async fn clients_that_vanish_are_noticed_by_the_kernel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap());
    let (accepted, _client) = tokio::join!(listener.accept(), connecting);
    let (stream, _) = accepted.unwrap();
    prepare(&stream).unwrap();
    let wanted = limits::TCP_USER_TIMEOUT;
    assert_eq!(wanted, Duration::from_secs(20));
    assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap() as u128, wanted.as_millis());
    assert!(sockopt::socket_keepalive(&stream).unwrap());
    assert!(stream.nodelay().unwrap());
}
