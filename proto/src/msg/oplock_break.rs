//! OPLOCK_BREAK: the server takes caching back; the client acknowledges; the server confirms.
//!
//! Oplocks and leases share the command and differ in the structure size.
//!
//! Spec: [MS-SMB2] 2.2.23 to 2.2.25

use bytes::Bytes;

use super::{FileId, Message, body, file_id, put_file_id};
use crate::types::{LeaseKey, LeaseState, OplockLevel, wire_flags};
use crate::wire::{DecodeError, Reader, Writer};

const OPLOCK_SIZE: u16 = 24;
const LEASE_NOTIFICATION_SIZE: u16 = 44;
const LEASE_SIZE: u16 = 36;

wire_flags! {
    /// Flags of a lease break notification.
    LeaseBreakFlags: u32 {
        ACK_REQUIRED = 0x0000_0001;
    }
}

/// A break of an oplock: notification, acknowledgment and response look alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OplockBreak {
    pub oplock_level: OplockLevel,
    pub file_id: FileId,
}

/// The server takes back a part of a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeaseBreakNotification {
    /// The epoch of the state that is being lowered to (leases of version 2; 0 otherwise).
    pub new_epoch: u16,
    pub flags: LeaseBreakFlags,
    pub lease_key: LeaseKey,
    pub current_lease_state: LeaseState,
    pub new_lease_state: LeaseState,
    /// Reserved; told by newer servers when an open was closed by its administrator.
    pub break_reason: u32,
    pub access_mask_hint: u32,
    pub share_mask_hint: u32,
}

/// Acknowledges a lease break, or confirms the acknowledgment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeaseBreak {
    pub flags: u32,
    pub lease_key: LeaseKey,
    pub lease_state: LeaseState,
}

/// What a client sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OplockBreakAcknowledgment {
    Oplock(OplockBreak),
    Lease(LeaseBreak),
}

/// What a server sends: unasked, or to confirm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OplockBreakResponse {
    /// A notification if the header's MessageId is [`crate::header::UNSOLICITED`], else the
    /// confirmation of an acknowledgment.
    Oplock(OplockBreak),
    /// A notification.
    LeaseNotification(LeaseBreakNotification),
    /// The confirmation of an acknowledgment.
    Lease(LeaseBreak),
}

impl OplockBreak {
    fn decode(mut r: Reader<'_>) -> Result<OplockBreak, DecodeError> {
        let oplock_level = OplockLevel(r.u8()?);
        r.skip(5)?;
        Ok(OplockBreak { oplock_level, file_id: file_id(&mut r)? })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(OPLOCK_SIZE);
        w.u8(self.oplock_level.0);
        w.zeros(5);
        put_file_id(w, self.file_id);
    }
}

impl LeaseBreak {
    fn decode(mut r: Reader<'_>) -> Result<LeaseBreak, DecodeError> {
        r.skip(2)?;
        let flags = r.u32()?;
        let lease_key = r.guid()?;
        let lease_state = LeaseState(r.u32()?);
        // LeaseDuration is reserved.
        r.skip(8)?;
        Ok(LeaseBreak { flags, lease_key, lease_state })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(LEASE_SIZE);
        w.u16(0);
        w.u32(self.flags);
        w.guid(self.lease_key);
        w.u32(self.lease_state.0);
        w.u64(0);
    }
}

impl LeaseBreakNotification {
    fn decode(mut r: Reader<'_>) -> Result<LeaseBreakNotification, DecodeError> {
        Ok(LeaseBreakNotification {
            new_epoch: r.u16()?,
            flags: LeaseBreakFlags(r.u32()?),
            lease_key: r.guid()?,
            current_lease_state: LeaseState(r.u32()?),
            new_lease_state: LeaseState(r.u32()?),
            break_reason: r.u32()?,
            access_mask_hint: r.u32()?,
            share_mask_hint: r.u32()?,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(LEASE_NOTIFICATION_SIZE);
        w.u16(self.new_epoch);
        w.u32(self.flags.0);
        w.guid(self.lease_key);
        w.u32(self.current_lease_state.0);
        w.u32(self.new_lease_state.0);
        w.u32(self.break_reason);
        w.u32(self.access_mask_hint);
        w.u32(self.share_mask_hint);
    }
}

impl Message for OplockBreakAcknowledgment {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        match r.u16()? {
            OPLOCK_SIZE => OplockBreak::decode(r).map(Self::Oplock),
            LEASE_SIZE => LeaseBreak::decode(r).map(Self::Lease),
            found => Err(DecodeError::StructureSize { expected: OPLOCK_SIZE, found }),
        }
    }

    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Oplock(oplock) => oplock.encode(w),
            Self::Lease(lease) => lease.encode(w),
        }
    }
}

impl Message for OplockBreakResponse {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        match r.u16()? {
            OPLOCK_SIZE => OplockBreak::decode(r).map(Self::Oplock),
            LEASE_NOTIFICATION_SIZE => {
                LeaseBreakNotification::decode(r).map(Self::LeaseNotification)
            }
            LEASE_SIZE => LeaseBreak::decode(r).map(Self::Lease),
            found => Err(DecodeError::StructureSize { expected: OPLOCK_SIZE, found }),
        }
    }

    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Oplock(oplock) => oplock.encode(w),
            Self::LeaseNotification(notification) => notification.encode(w),
            Self::Lease(lease) => lease.encode(w),
        }
    }
}
