//! TREE_DISCONNECT: ends a tree connect.
//!
//! Spec: [MS-SMB2] 2.2.11, 2.2.12

use super::empty_message;

empty_message! {
    /// Ends a tree connect.
    TreeDisconnectRequest
}

empty_message! {
    /// Done.
    TreeDisconnectResponse
}
