//! TREE_CONNECT: asks for a share.
//!
//! Spec: [MS-SMB2] 2.2.9, 2.2.10

use bytes::Bytes;

use super::{Message, body};
use crate::header::HEADER_SIZE;
use crate::types::{AccessMask, wire_flags};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

const REQUEST_SIZE: u16 = 9;
const RESPONSE_SIZE: u16 = 16;
/// How long the fixed part of the request's extension is.
const EXTENSION_SIZE: usize = 16;
/// More contexts than there are kinds of them.
const MAX_CONTEXTS: u16 = 16;

wire_flags! {
    /// Flags of the request (3.1.1).
    TreeConnectFlags: u16 {
        CLUSTER_RECONNECT = 0x0001;
        REDIRECT_TO_OWNER = 0x0002;
        EXTENSION_PRESENT = 0x0004;
    }
}

open_enum! {
    /// What a share is.
    ShareType: u8 {
        DISK = 0x01;
        PIPE = 0x02;
        PRINT = 0x03;
    }
}

wire_flags! {
    /// Properties of a share. The caching mode is a number in bits 4 and 5; 0 is manual.
    ShareFlags: u32 {
        DFS = 0x0000_0001;
        DFS_ROOT = 0x0000_0002;
        NO_CACHING = 0x0000_0030;
        AUTO_CACHING = 0x0000_0010;
        VDO_CACHING = 0x0000_0020;
        RESTRICT_EXCLUSIVE_OPENS = 0x0000_0100;
        FORCE_SHARED_DELETE = 0x0000_0200;
        ALLOW_NAMESPACE_CACHING = 0x0000_0400;
        ACCESS_BASED_DIRECTORY_ENUM = 0x0000_0800;
        FORCE_LEVELII_OPLOCK = 0x0000_1000;
        ENABLE_HASH_V1 = 0x0000_2000;
        ENABLE_HASH_V2 = 0x0000_4000;
        ENCRYPT_DATA = 0x0000_8000;
        IDENTITY_REMOTING = 0x0004_0000;
        COMPRESS_DATA = 0x0010_0000;
        ISOLATED_TRANSPORT = 0x0020_0000;
    }
}

wire_flags! {
    /// What a share can do.
    ShareCapabilities: u32 {
        DFS = 0x0000_0008;
        CONTINUOUS_AVAILABILITY = 0x0000_0010;
        SCALEOUT = 0x0000_0020;
        CLUSTER = 0x0000_0040;
        ASYMMETRIC = 0x0000_0080;
        REDIRECT_TO_OWNER = 0x0000_0100;
    }
}

open_enum! {
    /// Kinds of tree connect contexts.
    TreeConnectContextType: u16 {
        REMOTED_IDENTITY = 0x0001;
    }
}

/// A context of the request's extension, its data not looked into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeConnectContext {
    pub context_type: TreeConnectContextType,
    pub data: Bytes,
}

/// Asks for a share.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TreeConnectRequest {
    /// EXTENSION_PRESENT decides about the layout whatever the dialect: older ones leave it 0.
    pub flags: TreeConnectFlags,
    /// `\\server\share`.
    pub path: String,
    /// Contexts of the extension.
    pub contexts: Vec<TreeConnectContext>,
}

/// Reads the contexts of the extension, which stands where the buffer begins.
fn extension(r: &mut Reader<'_>) -> Result<Vec<TreeConnectContext>, DecodeError> {
    let offset = r.u32()? as usize;
    let count = r.u16()?;
    r.skip(EXTENSION_SIZE - 6)?;
    if count > MAX_CONTEXTS {
        return Err(DecodeError::TooManyEntries);
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    // Unlike every other offset, this one counts from the request and not from its header.
    let offset = offset.checked_add(HEADER_SIZE).ok_or(DecodeError::Offset)?;
    let length = r.whole().len().checked_sub(offset).ok_or(DecodeError::Offset)?;
    let mut list = r.part(offset, length)?;
    let mut contexts = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        list.align(8);
        let context_type = TreeConnectContextType(list.u16()?);
        let length = usize::from(list.u16()?);
        list.skip(4)?;
        contexts.push(TreeConnectContext { context_type, data: list.sub(length)?.shared() });
    }
    Ok(contexts)
}

impl Message for TreeConnectRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let flags = TreeConnectFlags(r.u16()?);
        let (offset, length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let contexts = if flags.contains(TreeConnectFlags::EXTENSION_PRESENT) {
            extension(&mut r)?
        } else {
            Vec::new()
        };
        Ok(TreeConnectRequest { flags, path: r.part(offset, length)?.text()?, contexts })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(self.flags.0);
        let (offset, length) = (w.slot16(), w.slot16());
        let contexts_offset = if self.flags.contains(TreeConnectFlags::EXTENSION_PRESENT) {
            let slot = w.slot32();
            w.u16(u16::try_from(self.contexts.len()).unwrap_or(u16::MAX));
            w.zeros(EXTENSION_SIZE - 6);
            Some(slot)
        } else {
            None
        };
        w.fill16_here(offset);
        let written = w.measured(|w| w.utf16(&self.path));
        w.fill16(length, written);
        if let Some(slot) = contexts_offset {
            w.align(8);
            w.fill32(slot, w.position() - HEADER_SIZE);
            for context in &self.contexts {
                w.align(8);
                w.u16(context.context_type.0);
                w.u16(u16::try_from(context.data.len()).unwrap_or(u16::MAX));
                w.u32(0);
                w.bytes(&context.data);
            }
        }
    }
}

/// A share was connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TreeConnectResponse {
    pub share_type: ShareType,
    pub share_flags: ShareFlags,
    pub capabilities: ShareCapabilities,
    pub maximal_access: AccessMask,
}

impl Message for TreeConnectResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let share_type = ShareType(r.u8()?);
        r.skip(1)?;
        Ok(TreeConnectResponse {
            share_type,
            share_flags: ShareFlags(r.u32()?),
            capabilities: ShareCapabilities(r.u32()?),
            maximal_access: AccessMask(r.u32()?),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u8(self.share_type.0);
        w.u8(0);
        w.u32(self.share_flags.0);
        w.u32(self.capabilities.0);
        w.u32(self.maximal_access.0);
    }
}
