//! Whether the other nodes' addresses can be reached while no node runs here that could ask them.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_proto::types::NodeId;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::finding::{Finding, millis};

const CONNECT_WAIT: Duration = Duration::from_secs(1);

/// How connecting to another node went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reach {
    pub node: NodeId,
    pub address: SocketAddr,
    /// How long it took, or what the operating system said.
    pub connected: Result<Duration, String>,
}

/// Connects, and says nothing.
pub async fn probe(node: NodeId, address: SocketAddr) -> Reach {
    let begun = Instant::now();
    let connected = match timeout(CONNECT_WAIT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(begun.elapsed()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {}", millis(CONNECT_WAIT))),
    };
    Reach { node, address, connected }
}

/// Judges it. A node that does not listen may only not be started yet.
pub fn judge(reach: &Reach) -> Finding {
    let check = format!("node {}: address", reach.node.0);
    match &reach.connected {
        Ok(took) => Finding::ok(check, format!("{} connected in {}", reach.address, millis(*took))),
        Err(why) => Finding::ok(check, format!("{}: {why}", reach.address)).warn(
            "nobody listens there, or nothing gets there",
            "start that node; if it runs, look at the network between the two",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[tokio::test]
    async fn who_listens_is_reached_and_who_does_not_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(judge(&probe(NodeId(2), address).await).level, Level::Ok);
        drop(listener);
        assert_eq!(judge(&probe(NodeId(2), address).await).level, Level::Warn);
    }
}
