//! One node of a Holdfast cluster: the SMB server and every administrative command.
//!
//! A request's way: `runtime` (sockets) → `core` (sans-IO) → `dispatch` (what each opcode needs)
//! → a handler (plan, execute, respond) → ports.

pub mod auth;
pub mod barrier;
pub mod breaks;
pub mod clock;
pub mod config;
pub mod connection;
pub mod core;
pub mod dispatch;
pub mod duties;
pub mod effects;
#[cfg(not(madsim))]
pub mod fence;
#[cfg(not(madsim))]
pub mod folder;
pub mod gate;
pub mod handlers;
pub mod informed;
pub mod io;
pub mod limits;
pub mod node;
pub mod opens_keeper;
pub mod peers;
pub mod pipes;
pub mod places;
pub mod ports;
pub mod random;
pub mod runtime;
pub mod session;
pub mod settings;
pub mod signal;
pub mod status;
pub mod vfs;
pub mod wildcard;

#[cfg(test)]
mod testing;
