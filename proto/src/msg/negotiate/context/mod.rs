//! Negotiate contexts, a file each ([MS-SMB2] 2.2.3.1).

pub mod compression;
pub mod encryption;
pub mod netname;
pub mod preauth;
pub mod rdma_transform;
pub mod signing;
pub mod transport;

use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// Kinds of negotiate contexts.
    NegotiateContextType: u16 {
        PREAUTH_INTEGRITY_CAPABILITIES = 0x0001;
        ENCRYPTION_CAPABILITIES = 0x0002;
        COMPRESSION_CAPABILITIES = 0x0003;
        NETNAME_NEGOTIATE_CONTEXT_ID = 0x0005;
        TRANSPORT_CAPABILITIES = 0x0006;
        RDMA_TRANSFORM_CAPABILITIES = 0x0007;
        SIGNING_CAPABILITIES = 0x0008;
        RESERVED = 0x0100;
    }
}

/// One kind of negotiate context.
pub trait NegotiateContext: Sized {
    /// Its type on the wire.
    const TYPE: NegotiateContextType;
    /// Reads its data; `r` ends where they end.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Writes its data.
    fn encode(&self, w: &mut Writer);
}

/// Reads `count` identifiers of 16 bits.
fn identifiers<T>(
    r: &mut Reader<'_>,
    count: u16,
    make: impl Fn(u16) -> T,
) -> Result<Vec<T>, DecodeError> {
    let (units, _) = r.take(usize::from(count) * 2)?.as_chunks::<2>();
    Ok(units.iter().map(|unit| make(u16::from_le_bytes(*unit))).collect())
}

/// How many identifiers a list has, as its 16-bit count.
fn count<T>(list: &[T]) -> u16 {
    u16::try_from(list.len()).unwrap_or(u16::MAX)
}
