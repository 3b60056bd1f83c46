//! The sans-IO half of a connection: frames, decryption, signatures, credits, message ids,
//! compounds. Bytes and facts go in, decisions and bytes come out.
//!
//! Never knows: tokio, sockets, the storage, the cluster, any clock.

mod connection_core;
mod credits;
mod inbound;
mod misuse;
mod outbound;
mod session_security;
mod violation;

pub use connection_core::{ConnectionCore, Exchange, Negotiated};
pub use credits::MessageWindow;
pub use inbound::{Frame, Inbound, Protection, open_frame};
pub use misuse::Misuse;
pub(crate) use outbound::prefix;
pub use outbound::{Outgoing, Sealing, seal};
pub use session_security::{SecurityTerms, SessionSecurity};
pub use violation::Violation;
