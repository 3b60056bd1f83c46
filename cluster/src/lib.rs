//! What a Holdfast cluster agrees on.
//!
//! Two halves that stay apart: the pure machine (`state`, `apply`), which knows no clock, no I/O,
//! no randomness and not which node it runs on; and `raft`, the only place that names openraft.

pub mod command;
pub mod disk;
pub mod effect;
pub mod encoding;
pub mod gap;
pub mod handle;
pub mod kv;
pub mod log_time;
pub mod observe;
pub mod outcome;
pub mod peer;
pub mod planted;
pub mod ports;
pub mod raft;
pub mod state;
pub mod wal;

mod apply;
