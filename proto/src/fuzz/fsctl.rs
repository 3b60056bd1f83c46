//! Payloads of control codes, each tried on the same bytes; and the data of a symbolic link.

use crate::for_each_fsctl_payload;
use crate::fsctl::{self, FsctlPayload};
use crate::msg::error::SymlinkError;

fn payload<P: FsctlPayload + PartialEq + core::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = P::decode(bytes) {
        assert_eq!(P::decode(&value.to_bytes()), Ok(value));
    }
}

/// Any payload.
pub(super) fn payloads(bytes: &[u8]) {
    macro_rules! each {
        ($($name:ident)*) => {
            $(payload::<fsctl::$name>(bytes);)*
        };
    }
    for_each_fsctl_payload!(each);
    let _ = SymlinkError::decode(bytes);
}
