//! CREATE: opens or creates a file, directory or pipe.
//!
//! Spec: [MS-SMB2] 2.2.13, 2.2.14

mod chain;
pub mod context;
mod contexts;

use bytes::Bytes;

pub use context::CreateContext;
pub use context::allocation_size::AllocationSize;
pub use context::app_instance_id::AppInstanceId;
pub use context::app_instance_version::AppInstanceVersion;
pub use context::durable_v1::{
    DurableHandleReconnect, DurableHandleRequest, DurableHandleResponse,
};
pub use context::durable_v2::{
    DurableHandleFlags, DurableHandleReconnectV2, DurableHandleRequestV2, DurableHandleResponseV2,
};
pub use context::ext_attributes::ExtAttributes;
pub use context::lease::{LeaseContext, LeaseFlags, LeaseV2};
pub use context::max_access::{MaximalAccessResponse, QueryMaximalAccess};
pub use context::query_on_disk_id::{OnDiskId, QueryOnDiskId};
pub use context::security_descriptor::SecurityDescriptorBuffer;
pub use context::timewarp::TimewarpToken;
pub use contexts::{ContextTag, CreateContexts, CreateResponseContexts, UnknownCreateContext};

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::{
    AccessMask, CreateAction, CreateDisposition, CreateOptions, FileAttributes, FileTime,
    OplockLevel, ShareAccess, wire_flags,
};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

const REQUEST_SIZE: u16 = 57;
const RESPONSE_SIZE: u16 = 89;

open_enum! {
    /// How far the server may act for the client.
    ImpersonationLevel: u32 {
        ANONYMOUS = 0;
        IDENTIFICATION = 1;
        IMPERSONATION = 2;
        DELEGATE = 3;
    }
}

wire_flags! {
    /// Flags of the response (3.x).
    CreateResponseFlags: u8 {
        REPARSEPOINT = 0x01;
    }
}

/// Opens or creates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateRequest {
    /// Reserved.
    pub security_flags: u8,
    pub requested_oplock_level: OplockLevel,
    pub impersonation_level: ImpersonationLevel,
    pub desired_access: AccessMask,
    pub file_attributes: FileAttributes,
    pub share_access: ShareAccess,
    pub create_disposition: CreateDisposition,
    pub create_options: CreateOptions,
    /// The path below the share, components separated by backslashes; empty for its root.
    pub name: String,
    pub contexts: CreateContexts,
}

impl Default for CreateRequest {
    /// Opens the root of the share and asks for nothing.
    fn default() -> CreateRequest {
        CreateRequest {
            security_flags: 0,
            requested_oplock_level: OplockLevel::NONE,
            impersonation_level: ImpersonationLevel::IMPERSONATION,
            desired_access: AccessMask::NONE,
            file_attributes: FileAttributes::NONE,
            share_access: ShareAccess::NONE,
            create_disposition: CreateDisposition::OPEN,
            create_options: CreateOptions::NONE,
            name: String::new(),
            contexts: CreateContexts::default(),
        }
    }
}

impl Message for CreateRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let security_flags = r.u8()?;
        let requested_oplock_level = OplockLevel(r.u8()?);
        let impersonation_level = ImpersonationLevel(r.u32()?);
        // SmbCreateFlags and Reserved.
        r.skip(16)?;
        let desired_access = AccessMask(r.u32()?);
        let file_attributes = FileAttributes(r.u32()?);
        let share_access = ShareAccess(r.u32()?);
        let create_disposition = CreateDisposition(r.u32()?);
        let create_options = CreateOptions(r.u32()?);
        let (name_offset, name_length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let (contexts_offset, contexts_length) = (r.u32()? as usize, r.u32()? as usize);
        Ok(CreateRequest {
            security_flags,
            requested_oplock_level,
            impersonation_level,
            desired_access,
            file_attributes,
            share_access,
            create_disposition,
            create_options,
            name: r.part(name_offset, name_length)?.text()?,
            contexts: CreateContexts::decode(r.part(contexts_offset, contexts_length)?)?,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u8(self.security_flags);
        w.u8(self.requested_oplock_level.0);
        w.u32(self.impersonation_level.0);
        w.zeros(16);
        w.u32(self.desired_access.0);
        w.u32(self.file_attributes.0);
        w.u32(self.share_access.0);
        w.u32(self.create_disposition.0);
        w.u32(self.create_options.0);
        let (name_offset, name_length) = (w.slot16(), w.slot16());
        let (contexts_offset, contexts_length) = (w.slot32(), w.slot32());
        w.fill16_here(name_offset);
        let name = w.measured(|w| w.utf16(&self.name));
        w.fill16(name_length, name);
        if !self.contexts.is_empty() {
            w.align(8);
            w.fill32_here(contexts_offset);
            let contexts = w.nested(|w| self.contexts.encode(w));
            w.fill32(contexts_length, contexts);
        } else if name == 0 {
            // The structure size counts one byte of buffer, and servers insist on it.
            w.u8(0);
        }
    }
}

/// The open that was made or found again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CreateResponse {
    pub oplock_level: OplockLevel,
    pub flags: CreateResponseFlags,
    pub create_action: CreateAction,
    pub creation_time: FileTime,
    pub last_access_time: FileTime,
    pub last_write_time: FileTime,
    pub change_time: FileTime,
    pub allocation_size: u64,
    pub end_of_file: u64,
    pub file_attributes: FileAttributes,
    pub file_id: FileId,
    pub contexts: CreateResponseContexts,
}

/// Reads CreateAction: the type has no room for other values, and no server sends one.
fn create_action(r: &mut Reader<'_>) -> Result<CreateAction, DecodeError> {
    match r.u32()? {
        0 => Ok(CreateAction::Superseded),
        1 => Ok(CreateAction::Opened),
        2 => Ok(CreateAction::Created),
        3 => Ok(CreateAction::Overwritten),
        _ => Err(DecodeError::Value),
    }
}

impl Message for CreateResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let oplock_level = OplockLevel(r.u8()?);
        let flags = CreateResponseFlags(r.u8()?);
        let create_action = create_action(&mut r)?;
        let (creation_time, last_access_time) = (r.file_time()?, r.file_time()?);
        let (last_write_time, change_time) = (r.file_time()?, r.file_time()?);
        let (allocation_size, end_of_file) = (r.u64()?, r.u64()?);
        let file_attributes = FileAttributes(r.u32()?);
        r.skip(4)?;
        let file_id = file_id(&mut r)?;
        let (contexts_offset, contexts_length) = (r.u32()? as usize, r.u32()? as usize);
        let contexts = r.part(contexts_offset, contexts_length)?;
        Ok(CreateResponse {
            oplock_level,
            flags,
            create_action,
            creation_time,
            last_access_time,
            last_write_time,
            change_time,
            allocation_size,
            end_of_file,
            file_attributes,
            file_id,
            contexts: CreateResponseContexts::decode(contexts)?,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u8(self.oplock_level.0);
        w.u8(self.flags.0);
        w.u32(self.create_action as u32);
        w.file_time(self.creation_time);
        w.file_time(self.last_access_time);
        w.file_time(self.last_write_time);
        w.file_time(self.change_time);
        w.u64(self.allocation_size);
        w.u64(self.end_of_file);
        w.u32(self.file_attributes.0);
        w.u32(0);
        put_file_id(w, self.file_id);
        let (contexts_offset, contexts_length) = (w.slot32(), w.slot32());
        if self.contexts.is_empty() {
            return;
        }
        w.align(8);
        w.fill32_here(contexts_offset);
        let contexts = w.nested(|w| self.contexts.encode(w));
        w.fill32(contexts_length, contexts);
    }
}

#[cfg(test)]
mod tests;
