//! CANCEL: gives up an operation. It has no response; the header names the operation.
//!
//! Spec: [MS-SMB2] 2.2.30

use super::empty_message;

empty_message! {
    /// Gives up the operation that the header's MessageId or AsyncId names.
    CancelRequest
}
