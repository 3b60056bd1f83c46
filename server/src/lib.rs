//! One node of a Holdfast cluster: the SMB server and every administrative command.
//!
//! A request's way: `runtime` (sockets) → `core` (sans-IO) → `dispatch` (what each opcode needs)
//! → a handler (plan, execute, respond) → ports.

pub mod auth;
pub mod clock;
pub mod config;
pub mod connection;
pub mod core;
pub mod dispatch;
#[cfg(not(madsim))]
pub mod fence;
#[cfg(not(madsim))]
pub mod folder;
pub mod handlers;
pub mod limits;
pub mod node;
pub mod pipes;
pub mod ports;
pub mod random;
pub mod runtime;
pub mod session;
pub mod settings;
pub mod signal;
pub mod status;
pub mod vfs;

#[cfg(test)]
mod testing;
