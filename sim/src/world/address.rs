//! Who is reached where.

use std::net::{IpAddr, Ipv4Addr};

/// Where nodes listen for each other.
pub const PEER_PORT: u16 = 4460;

/// A node's address; numbers count from 1.
pub fn node_ip(node: u64) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, node as u8))
}

/// A client's address; numbers count from 0.
pub fn client_ip(client: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 1, client + 1))
}

/// The storage's, which nobody reaches by the network.
pub fn storage_ip() -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1))
}
