//! NEGOTIATE: agrees on dialect, capabilities and algorithms.
//!
//! Spec: [MS-SMB2] 2.2.3, 2.2.4

pub mod context;
mod contexts;

use bytes::Bytes;

pub use context::compression::{
    CompressionAlgorithm, CompressionCapabilities, CompressionCapabilityFlags,
};
pub use context::encryption::{Cipher, EncryptionCapabilities};
pub use context::netname::NetName;
pub use context::preauth::{HashAlgorithm, PreauthIntegrityCapabilities};
pub use context::rdma_transform::{RdmaTransformCapabilities, RdmaTransformId};
pub use context::signing::{SigningAlgorithm, SigningCapabilities};
pub use context::transport::{TransportCapabilities, TransportCapabilityFlags};
pub use context::{NegotiateContext, NegotiateContextType};
pub use contexts::{NegotiateContexts, UnknownNegotiateContext};

use super::{Message, body};
use crate::types::{ClientGuid, Dialect, FileTime, Guid, wire_flags};
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 36;
const RESPONSE_SIZE: u16 = 65;

wire_flags! {
    /// Whether a side signs.
    SecurityMode: u16 {
        SIGNING_ENABLED = 0x0001;
        SIGNING_REQUIRED = 0x0002;
    }
}

wire_flags! {
    /// What a side can do.
    GlobalCapabilities: u32 {
        DFS = 0x0000_0001;
        LEASING = 0x0000_0002;
        LARGE_MTU = 0x0000_0004;
        MULTI_CHANNEL = 0x0000_0008;
        PERSISTENT_HANDLES = 0x0000_0010;
        DIRECTORY_LEASING = 0x0000_0020;
        ENCRYPTION = 0x0000_0040;
        NOTIFICATIONS = 0x0000_0080;
    }
}

/// What the client offers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NegotiateRequest {
    pub security_mode: SecurityMode,
    pub capabilities: GlobalCapabilities,
    pub client_guid: ClientGuid,
    pub dialects: Vec<Dialect>,
    /// Only where `dialects` has 3.1.1; empty otherwise.
    pub contexts: NegotiateContexts,
}

impl Message for NegotiateRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let count = usize::from(r.u16()?);
        let security_mode = SecurityMode(r.u16()?);
        r.skip(2)?;
        let capabilities = GlobalCapabilities(r.u32()?);
        let client_guid = r.guid()?;
        let contexts_offset = r.u32()? as usize;
        let contexts_count = r.u16()?;
        r.skip(2)?;
        let (units, _) = r.take(count * 2)?.as_chunks::<2>();
        let dialects: Vec<Dialect> =
            units.iter().map(|unit| Dialect(u16::from_le_bytes(*unit))).collect();
        let contexts = if dialects.contains(&Dialect::SMB_3_1_1) {
            NegotiateContexts::decode(&r, contexts_offset, contexts_count)?
        } else {
            NegotiateContexts::default()
        };
        Ok(NegotiateRequest { security_mode, capabilities, client_guid, dialects, contexts })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(u16::try_from(self.dialects.len()).unwrap_or(u16::MAX));
        w.u16(self.security_mode.0);
        w.u16(0);
        w.u32(self.capabilities.0);
        w.guid(self.client_guid);
        let contexts_offset = w.slot32();
        let contexts_count = w.slot16();
        w.u16(0);
        for dialect in &self.dialects {
            w.u16(dialect.0);
        }
        if self.dialects.contains(&Dialect::SMB_3_1_1) {
            self.contexts.encode(w, contexts_offset, contexts_count);
        }
    }
}

/// What the server chose.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NegotiateResponse {
    pub security_mode: SecurityMode,
    pub dialect_revision: Dialect,
    pub server_guid: Guid,
    pub capabilities: GlobalCapabilities,
    pub max_transact_size: u32,
    pub max_read_size: u32,
    pub max_write_size: u32,
    pub system_time: FileTime,
    pub server_start_time: FileTime,
    pub security_buffer: Bytes,
    /// Only for 3.1.1; empty otherwise.
    pub contexts: NegotiateContexts,
}

impl Message for NegotiateResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let security_mode = SecurityMode(r.u16()?);
        let dialect_revision = Dialect(r.u16()?);
        let contexts_count = r.u16()?;
        let server_guid = r.guid()?;
        let capabilities = GlobalCapabilities(r.u32()?);
        let (max_transact_size, max_read_size, max_write_size) = (r.u32()?, r.u32()?, r.u32()?);
        let (system_time, server_start_time) = (r.file_time()?, r.file_time()?);
        let (offset, length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let contexts_offset = r.u32()? as usize;
        let contexts = if dialect_revision == Dialect::SMB_3_1_1 {
            NegotiateContexts::decode(&r, contexts_offset, contexts_count)?
        } else {
            NegotiateContexts::default()
        };
        Ok(NegotiateResponse {
            security_mode,
            dialect_revision,
            server_guid,
            capabilities,
            max_transact_size,
            max_read_size,
            max_write_size,
            system_time,
            server_start_time,
            security_buffer: r.part(offset, length)?.shared(),
            contexts,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u16(self.security_mode.0);
        w.u16(self.dialect_revision.0);
        let contexts_count = w.slot16();
        w.guid(self.server_guid);
        w.u32(self.capabilities.0);
        w.u32(self.max_transact_size);
        w.u32(self.max_read_size);
        w.u32(self.max_write_size);
        w.file_time(self.system_time);
        w.file_time(self.server_start_time);
        let (offset, length) = (w.slot16(), w.slot16());
        let contexts_offset = w.slot32();
        w.fill16_here(offset);
        w.fill16(length, self.security_buffer.len());
        w.bytes(&self.security_buffer);
        if self.dialect_revision == Dialect::SMB_3_1_1 {
            self.contexts.encode(w, contexts_offset, contexts_count);
        }
    }
}
