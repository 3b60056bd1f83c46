//! Which addresses nodes may use for each other.

use std::net::SocketAddr;

use super::transport::PeerSecurity;

/// Why an address is not used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressRefused {
    /// Not `ip:port`.
    #[error("the peer address {0:?} is not of the form ip:port")]
    Malformed(String),
    /// Another host's, or one that other hosts reach.
    #[error(
        "the peer address {0} is not a loopback address, and the settings name no certificates: \
         without them nodes talk in plain text, and only over loopback"
    )]
    NotLoopback(SocketAddr),
}

/// Reads a peer's address and checks that it may be used.
///
/// # Errors
/// It is malformed, or reaches beyond this host although nothing protects what is said there.
pub fn peer_socket(address: &str, security: &PeerSecurity) -> Result<SocketAddr, AddressRefused> {
    let socket: SocketAddr =
        address.parse().map_err(|_| AddressRefused::Malformed(address.to_owned()))?;
    if !security.reaches_other_hosts() && !socket.ip().is_loopback() {
        return Err(AddressRefused::NotLoopback(socket));
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::{AddressRefused, PeerSecurity, peer_socket};

    #[test]
    fn plain_text_stays_on_loopback() {
        let plain = |address| peer_socket(address, &PeerSecurity::Loopback);
        assert!(plain("127.0.0.1:7000").is_ok());
        assert!(plain("[::1]:7000").is_ok());
        assert!(matches!(plain("10.0.0.1:7000"), Err(AddressRefused::NotLoopback(_))));
        assert!(matches!(plain("0.0.0.0:7000"), Err(AddressRefused::NotLoopback(_))));
        assert!(matches!(plain("localhost"), Err(AddressRefused::Malformed(_))));
    }
}
