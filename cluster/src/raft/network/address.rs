//! Which addresses nodes may use for each other.

use std::net::SocketAddr;

/// Why an address is not used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressRefused {
    /// Not `ip:port`.
    #[error("the peer address {0:?} is not of the form ip:port")]
    Malformed(String),
    /// Another host's, or one that other hosts reach.
    #[error(
        "the peer address {0} is not a loopback address; traffic between nodes is not encrypted \
         yet, so other networks are refused unless the configuration says that this one is trusted"
    )]
    NotLoopback(SocketAddr),
}

/// Reads a peer's address and checks that it may be used.
///
/// # Errors
/// It is malformed, or reaches beyond this host although the network is not trusted.
pub fn peer_socket(address: &str, trusted_network: bool) -> Result<SocketAddr, AddressRefused> {
    let socket: SocketAddr =
        address.parse().map_err(|_| AddressRefused::Malformed(address.to_owned()))?;
    if !trusted_network && !socket.ip().is_loopback() {
        return Err(AddressRefused::NotLoopback(socket));
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::{AddressRefused, peer_socket};

    #[test]
    fn only_loopback_unless_the_network_is_trusted() {
        assert!(peer_socket("127.0.0.1:7000", false).is_ok());
        assert!(peer_socket("[::1]:7000", false).is_ok());
        assert!(matches!(peer_socket("10.0.0.1:7000", false), Err(AddressRefused::NotLoopback(_))));
        assert!(matches!(peer_socket("0.0.0.0:7000", false), Err(AddressRefused::NotLoopback(_))));
        assert!(peer_socket("10.0.0.1:7000", true).is_ok());
        assert!(matches!(peer_socket("localhost", true), Err(AddressRefused::Malformed(_))));
    }
}
