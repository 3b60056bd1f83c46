//! The sans-IO half of a connection: frames, decryption, signatures, credits, message ids,
//! compounds. Bytes and facts go in, decisions and bytes come out.
//!
//! Never knows: tokio, sockets, the storage, the cluster, any clock.

mod session_security;

pub use session_security::{SecurityTerms, SessionSecurity};
