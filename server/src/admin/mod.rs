//! The admin service: gRPC over a Unix socket in the node's folder, which only the node's owner
//! may open. Whoever may open it administers the whole cluster; there is no other login.
//!
//! Changes go through the log like everything else that nodes share, so any node takes them.

mod client;
mod doctor;
mod names;
mod nodes;
mod service;
mod socket;
mod status;

pub use client::{AdminClient, AdminError};
pub use doctor::from_wire as finding_from_wire;
pub use names::{check_share_name, check_user_name};
pub use service::{AdminService, Membership, NodeView};
pub use socket::{AdminSocket, serve};

/// The service's messages and stubs, generated from `proto/holdfast/admin.proto`.
pub mod pb {
    tonic::include_proto!("holdfast.admin");
}
