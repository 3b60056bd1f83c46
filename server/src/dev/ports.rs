//! Which ports a dev cluster uses, and whether they are free.

use std::io;
use std::net::TcpListener;

use holdfast_proto::types::NodeId;

use super::layout::ip;

/// How far the nodes' own port lies from the clients'.
const DISTANCE: u16 = 10_000;
/// Linux gives the ports from here on to outgoing connections.
const EPHEMERAL: u16 = 32_768;
/// How many ports are tried.
const TRIES: u16 = 100;

/// A port that is free on every node's address: the same one for the same cluster, if it can be.
pub fn free_for_peers(nodes: u8, smb_port: u16) -> Result<u16, String> {
    let first = match smb_port.checked_add(DISTANCE) {
        Some(port) if port < EPHEMERAL => port,
        _ => smb_port.saturating_sub(DISTANCE).max(1024),
    };
    (first..first.saturating_add(TRIES))
        .filter(|port| *port != smb_port)
        .find(|port| first_taken(nodes, *port).is_none())
        .ok_or_else(|| format!("no free port from {first} on for the nodes to talk to each other"))
}

/// Says which address is taken.
pub fn must_be_free(nodes: u8, port: u16) -> Result<(), String> {
    match first_taken(nodes, port) {
        None => Ok(()),
        Some((node, error)) => Err(format!(
            "{}:{port} cannot be had ({error}); if another dev cluster runs, end it or choose \
             another --smb-port and --dir",
            ip(node)
        )),
    }
}

fn first_taken(nodes: u8, port: u16) -> Option<(NodeId, io::Error)> {
    (1..=u64::from(nodes)).map(NodeId).find_map(|node| match TcpListener::bind((ip(node), port)) {
        Ok(_) => None,
        Err(error) => Some((node, error)),
    })
}
