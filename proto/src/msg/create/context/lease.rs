//! Leases: "RqLs" in both directions and both versions, which the length tells apart ([MS-SMB2]
//! 2.2.13.2.8, 2.2.13.2.10, 2.2.14.2.10, 2.2.14.2.11).

use super::CreateContext;
use crate::types::{LeaseKey, LeaseState, wire_flags};
use crate::wire::{DecodeError, Reader, Writer};

const V1_SIZE: usize = 32;
const V2_SIZE: usize = 52;

wire_flags! {
    /// Flags of a lease.
    LeaseFlags: u32 {
        BREAK_IN_PROGRESS = 0x0000_0002;
        PARENT_LEASE_KEY_SET = 0x0000_0004;
    }
}

/// A lease as asked for or as granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeaseContext {
    pub lease_key: LeaseKey,
    pub lease_state: LeaseState,
    pub flags: LeaseFlags,
    /// What version 2 adds. None is a lease of version 1.
    pub v2: Option<LeaseV2>,
}

/// What version 2 adds to a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeaseV2 {
    /// Counts only with PARENT_LEASE_KEY_SET.
    pub parent_lease_key: LeaseKey,
    pub epoch: u16,
}

impl CreateContext for LeaseContext {
    const NAME: &'static [u8] = b"RqLs";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let with_v2 = match r.remaining() {
            V1_SIZE => false,
            V2_SIZE => true,
            _ => return Err(DecodeError::Length),
        };
        let lease_key = r.guid()?;
        let lease_state = LeaseState(r.u32()?);
        let flags = LeaseFlags(r.u32()?);
        // LeaseDuration is reserved.
        r.skip(8)?;
        let v2 = match with_v2 {
            true => Some(LeaseV2 { parent_lease_key: r.guid()?, epoch: r.u16()? }),
            false => None,
        };
        Ok(LeaseContext { lease_key, lease_state, flags, v2 })
    }

    fn encode(&self, w: &mut Writer) {
        w.guid(self.lease_key);
        w.u32(self.lease_state.0);
        w.u32(self.flags.0);
        w.u64(0);
        if let Some(v2) = &self.v2 {
            w.guid(v2.parent_lease_key);
            w.u16(v2.epoch);
            w.u16(0);
        }
    }
}
