//! One node of a Holdfast cluster: the SMB server and every administrative command.
//!
//! A request's way: `runtime` (sockets) → `core` (sans-IO) → `dispatch` (what each opcode needs)
//! → a handler (plan, execute, respond) → ports.

pub mod clock;
pub mod config;
pub mod connection;
pub mod core;
pub mod dispatch;
#[cfg(not(madsim))]
pub mod fence;
#[cfg(not(madsim))]
pub mod folder;
pub mod limits;
pub mod node;
pub mod pipes;
pub mod ports;
pub mod random;
pub mod session;
pub mod signal;
pub mod status;
pub mod vfs;
