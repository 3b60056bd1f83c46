//! What is kept with an object beside its data.

use bytes::Bytes;
use holdfast_proto::types::FileAttributes;

use super::tree::Metadata;
use crate::vfs::name_rules::check_attribute_name;
use crate::vfs::{KEPT_ATTRIBUTES, VfsError, VfsResult};

/// The most that an extended attribute or a descriptor holds, as Linux has it.
const MAX_VALUE: usize = 65_535;

/// Keeps those attributes that are kept at all.
pub(super) fn keep_attributes(metadata: &mut Metadata, attributes: FileAttributes) {
    metadata.attributes = attributes.intersection(KEPT_ATTRIBUTES);
}

/// Keeps a security descriptor.
pub(super) fn keep_security(metadata: &mut Metadata, descriptor: Bytes) -> VfsResult<()> {
    if descriptor.len() > MAX_VALUE {
        return Err(VfsError::TooLarge);
    }
    metadata.security = Some(descriptor);
    Ok(())
}

/// Finds an extended attribute without case.
pub(super) fn extended(metadata: &Metadata, name: &str) -> VfsResult<Bytes> {
    check_attribute_name(name)?;
    let mut all = metadata.extended.iter();
    let found = all.find(|(kept, _)| kept.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.clone()).ok_or(VfsError::NoSuchAttribute)
}

/// Sets an extended attribute under the spelling it has, or removes it.
pub(super) fn set_extended(metadata: &mut Metadata, name: &str, value: &Bytes) -> VfsResult<()> {
    check_attribute_name(name)?;
    if value.len() > MAX_VALUE {
        return Err(VfsError::TooLarge);
    }
    let kept = metadata.extended.keys().find(|kept| kept.eq_ignore_ascii_case(name)).cloned();
    let name = kept.unwrap_or_else(|| name.to_owned());
    if value.is_empty() {
        metadata.extended.remove(&name);
    } else {
        metadata.extended.insert(name, value.clone());
    }
    Ok(())
}
