//! Every wire format of Holdfast: bytes to typed messages and back.
//!
//! Pure: no time, no async, no sockets, no files. The codec tells what bytes *say*; it never
//! decides what is *allowed*.

pub mod auth;
pub mod crypto;
pub mod frame;
pub mod fsctl;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod header;
pub mod info;
pub mod msg;
pub mod opcode;
pub mod pb;
pub mod rpc;
pub mod status;
pub mod types;
pub mod wire;

pub use header::{Header, HeaderFlags, HeaderForm};
pub use opcode::Opcode;
pub use status::NtStatus;
