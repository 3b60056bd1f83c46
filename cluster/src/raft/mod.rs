//! Raft around the replicated state machine: the only place that names openraft.
//!
//! `type_config` says which types Raft is instantiated with, `runtime` lets it run on real tokio and
//! in the simulator, `log_store` keeps entries and vote in the write-ahead log of [`crate::wal`],
//! `state_machine` applies what is committed and `replica` is what the rest of the node sees of it.
//! Commands go through `submitter` (any node) and `proposer` (the leader); `network` carries
//! everything between nodes; `node_lease` decides who may touch the storage; `log_health` sees to it
//! that a node whose log is in trouble does not lead, and `known_folders` to it that one which lost
//! its folder does not come back. `start` puts a `node` together over its
//! `folder`.

mod closing;
pub mod config;
pub mod folder;
mod known_folders;
mod lives;
mod log_health;
pub mod log_store;
mod network;
pub mod node;
mod node_lease;
mod proposer;
mod replica;
pub mod runtime;
mod snapshot_store;
pub mod start;
mod start_error;
mod state_machine;
mod submitter;
pub mod type_config;

#[cfg(fuzzing)]
pub use network::any_bytes;

pub use config::{NodeConfig, Snapshots, Timing};
pub use folder::{Folder, FolderError, Founding};
#[cfg(not(madsim))]
pub use network::{CredentialsError, ParcelId, Parcels, PeerCredentials, fetch_parcel};
pub use network::{PeerSecurity, peer_name};
pub use node::Node;
pub use node_lease::{LENGTH as NODE_LEASE, RENEWAL as NODE_LEASE_RENEWAL};
pub use replica::Effects;
pub use start::{Ports, StartError, Started};

/// Raft, as instantiated here.
type Raft = openraft::Raft<type_config::TypeConfig, state_machine::StateMachine>;
