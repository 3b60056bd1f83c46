//! ECHO: asks whether the server lives.
//!
//! Spec: [MS-SMB2] 2.2.28, 2.2.29

use super::empty_message;

empty_message! {
    /// Asks whether the server lives.
    EchoRequest
}

empty_message! {
    /// Done.
    EchoResponse
}
