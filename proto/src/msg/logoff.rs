//! LOGOFF: ends a session.
//!
//! Spec: [MS-SMB2] 2.2.7, 2.2.8

use super::empty_message;

empty_message! {
    /// Ends a session.
    LogoffRequest
}

empty_message! {
    /// Done.
    LogoffResponse
}
