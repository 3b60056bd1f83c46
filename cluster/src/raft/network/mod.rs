//! How nodes talk to each other: one stream per ordered pair of nodes, frames of protobuf in it.
//!
//! The node that opened a stream asks, the other answers. Everything shares it: Raft's own
//! messages, forwarded commands, read indexes, node leases and the questions of
//! [`crate::peer`]; a tag in each frame joins answers to questions. Packets hold encoded bytes, so
//! that the simulator, whose transport hands over objects, carries the same bytes as the wire.
//!
//! `transport` is what carries the streams: TLS between nodes with certificates; plain text on this
//! host's loopback alone.

pub mod acceptor;
mod address;
#[cfg(any(test, fuzzing))]
pub mod any_bytes;
mod append_sessions;
mod frame;
mod link;
mod link_error;
mod peer_messages;
mod raft_client;
mod raft_messages;
mod snapshot_transfer;
mod transport;

pub use address::{AddressRefused, peer_socket};
pub use frame::Body;
pub use link::{LinkEvent, PeerLink, Speaker};
pub use peer_messages::{question_to, reply_from};
pub use raft_client::Network;
pub use raft_messages::{snapshot_meta_from, snapshot_meta_to};
#[cfg(not(madsim))]
pub use transport::{CredentialsError, ParcelId, Parcels, PeerCredentials, fetch_parcel};
pub use transport::{Dialer, PeerSecurity, peer_name};

/// The messages of `proto/holdfast/node.proto` and the stubs of its service.
pub mod pb {
    #![allow(clippy::all, missing_docs)]
    tonic::include_proto!("holdfast.node");
}

/// The version of the protocol that this build speaks.
pub const VERSION: u32 = 1;

/// The largest command that may be proposed.
pub const MAX_COMMAND_BYTES: usize = 256 * 1024;

/// The most entries in one append.
pub const MAX_APPEND_ENTRIES: u64 = 64;

/// The largest packet that is accepted: a full append of the largest commands, and then some.
pub const MAX_PACKET_BYTES: usize = 32 * 1024 * 1024;

const _: () = assert!(MAX_COMMAND_BYTES * MAX_APPEND_ENTRIES as usize * 3 / 2 < MAX_PACKET_BYTES);
