//! SESSION_SETUP: authenticates a user, token by token.
//!
//! Spec: [MS-SMB2] 2.2.5, 2.2.6

use core::fmt;

use bytes::Bytes;

use super::negotiate::{GlobalCapabilities, SecurityMode};
use super::{Message, body};
use crate::types::{SessionId, wire_flags};
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 25;
const RESPONSE_SIZE: u16 = 9;

wire_flags! {
    /// Flags of the request.
    SessionSetupFlags: u8 {
        /// Binds an existing session to this connection.
        BINDING = 0x01;
    }
}

wire_flags! {
    /// Flags of the response.
    SessionFlags: u16 {
        IS_GUEST = 0x0001;
        IS_NULL = 0x0002;
        ENCRYPT_DATA = 0x0004;
    }
}

/// One token of the client.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SessionSetupRequest {
    pub flags: SessionSetupFlags,
    /// One byte on the wire.
    pub security_mode: SecurityMode,
    pub capabilities: GlobalCapabilities,
    /// A session of this client that died with its connection; 0 for none.
    pub previous_session_id: SessionId,
    pub security_buffer: Bytes,
}

impl fmt::Debug for SessionSetupRequest {
    /// Without the token: what it holds is nothing for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSetupRequest")
            .field("flags", &self.flags)
            .field("security_mode", &self.security_mode)
            .field("capabilities", &self.capabilities)
            .field("previous_session_id", &self.previous_session_id)
            .field("security_buffer", &format_args!("{} bytes", self.security_buffer.len()))
            .finish()
    }
}

impl Message for SessionSetupRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let flags = SessionSetupFlags(r.u8()?);
        let security_mode = SecurityMode(u16::from(r.u8()?));
        let capabilities = GlobalCapabilities(r.u32()?);
        r.skip(4)?;
        let (offset, length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let previous_session_id = SessionId(r.u64()?);
        Ok(SessionSetupRequest {
            flags,
            security_mode,
            capabilities,
            previous_session_id,
            security_buffer: r.part(offset, length)?.shared(),
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u8(self.flags.0);
        w.u8(self.security_mode.0 as u8);
        w.u32(self.capabilities.0);
        w.u32(0);
        let (offset, length) = (w.slot16(), w.slot16());
        w.u64(self.previous_session_id.0);
        w.fill16_here(offset);
        w.fill16(length, self.security_buffer.len());
        w.bytes(&self.security_buffer);
    }
}

/// One token of the server.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SessionSetupResponse {
    pub session_flags: SessionFlags,
    pub security_buffer: Bytes,
}

impl fmt::Debug for SessionSetupResponse {
    /// Without the token, as in the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSetupResponse")
            .field("session_flags", &self.session_flags)
            .field("security_buffer", &format_args!("{} bytes", self.security_buffer.len()))
            .finish()
    }
}

impl Message for SessionSetupResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(RESPONSE_SIZE)?;
        let session_flags = SessionFlags(r.u16()?);
        let (offset, length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let security_buffer = r.part(offset, length)?.shared();
        Ok(SessionSetupResponse { session_flags, security_buffer })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(RESPONSE_SIZE);
        w.u16(self.session_flags.0);
        let (offset, length) = (w.slot16(), w.slot16());
        w.fill16_here(offset);
        w.fill16(length, self.security_buffer.len());
        w.bytes(&self.security_buffer);
    }
}
