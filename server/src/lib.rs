//! One node of a Holdfast cluster: the SMB server and every administrative command.
//!
//! A request's way: `runtime` (sockets) → `core` (sans-IO) → `dispatch` (what each opcode needs)
//! → a handler (plan, execute, respond) → ports.

#[cfg(not(madsim))]
pub mod admin;
pub mod auth;
pub mod barrier;
pub mod breaks;
#[cfg(not(madsim))]
pub mod certificates;
#[cfg(not(madsim))]
pub mod cli;
pub mod clock;
pub mod config;
pub mod connection;
pub mod core;
#[cfg(not(madsim))]
pub mod dev;
pub mod dispatch;
pub mod doctor;
pub mod duties;
pub mod effects;
pub mod fence;
#[cfg(not(madsim))]
pub mod folder;
pub mod gate;
pub mod handlers;
pub mod in_hand;
pub mod incarnation;
pub mod informed;
pub mod io;
pub mod leftovers;
pub mod limits;
pub mod node;
pub mod opens_keeper;
pub mod peers;
pub mod pipes;
pub mod places;
pub mod ports;
pub mod random;
pub mod runtime;
#[cfg(not(madsim))]
pub mod serve;
pub mod service;
pub mod session;
pub mod settings;
pub mod signal;
pub mod status;
pub mod vfs;
pub mod wildcard;

#[cfg(test)]
mod testing;
