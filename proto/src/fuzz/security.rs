//! Security descriptors.

use crate::types::SecurityDescriptor;

/// A descriptor in self-relative form.
pub(super) fn descriptors(bytes: &[u8]) {
    if let Ok(descriptor) = SecurityDescriptor::decode(bytes) {
        assert_eq!(SecurityDescriptor::decode(&descriptor.to_bytes()), Ok(descriptor));
    }
}
