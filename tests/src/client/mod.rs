//! A client of SMB 3.1.1 over real sockets, made of `proto` alone: connections with credits and
//! signatures both ways, logon, leases that are acknowledged whatever else goes on.
//!
//! Nothing here knows a type of the server.

mod arrivals;
mod connection;
mod envelope;
mod leases;
mod logon;
mod socket;

pub use connection::{Connection, NoAnswer, Parting, Patience, Watcher};
pub use envelope::Envelope;
pub use leases::{CachedBlock, Leases};
pub use logon::{Account, Link, Logon};

use holdfast_proto::NtStatus;

/// Statuses that mean "not now" ([MS-SMB2] 3.3.4.4).
pub fn is_not_now(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::FILE_NOT_AVAILABLE
            | NtStatus::SERVER_UNAVAILABLE
            | NtStatus::SHARE_UNAVAILABLE
            | NtStatus::INSUFFICIENT_RESOURCES
            | NtStatus::INSUFF_SERVER_RESOURCES
    )
}

/// Statuses that mean that the session is gone, not the handle.
pub fn is_session_gone(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::USER_SESSION_DELETED
            | NtStatus::NETWORK_SESSION_EXPIRED
            | NtStatus::NETWORK_NAME_DELETED
            | NtStatus::CONNECTION_DISCONNECTED
    )
}

/// Statuses that say that there is no such open.
pub fn is_gone(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::FILE_CLOSED | NtStatus::INVALID_HANDLE
    )
}
