//! Create contexts, a file each ([MS-SMB2] 2.2.13.2, 2.2.14.2).

pub mod allocation_size;
pub mod app_instance_id;
pub mod app_instance_version;
pub mod durable_v1;
pub mod durable_v2;
pub mod ext_attributes;
pub mod lease;
pub mod max_access;
pub mod query_on_disk_id;
pub mod security_descriptor;
pub mod timewarp;

use crate::wire::{DecodeError, Reader, Writer};

/// One kind of create context in one direction.
pub trait CreateContext: Sized {
    /// Its name on the wire.
    const NAME: &'static [u8];
    /// Reads its data; `r` ends where they end.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Writes its data.
    fn encode(&self, w: &mut Writer);
}

/// Refuses data of another length than the context has.
fn exact(r: &Reader<'_>, length: usize) -> Result<(), DecodeError> {
    if r.remaining() == length { Ok(()) } else { Err(DecodeError::Length) }
}
