//! LOCK: byte-range locks and unlocks.
//!
//! Spec: [MS-SMB2] 2.2.26, 2.2.27

use bytes::Bytes;

use super::{FileId, Message, body, empty_message, file_id, put_file_id};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Writer};

const REQUEST_SIZE: u16 = 48;
const ELEMENT_SIZE: usize = 24;

wire_flags! {
    /// What to do with one range.
    LockFlags: u32 {
        SHARED_LOCK = 0x0000_0001;
        EXCLUSIVE_LOCK = 0x0000_0002;
        UNLOCK = 0x0000_0004;
        FAIL_IMMEDIATELY = 0x0000_0010;
    }
}

/// One range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LockElement {
    pub offset: u64,
    pub length: u64,
    pub flags: LockFlags,
}

/// Locks or unlocks ranges.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LockRequest {
    /// 0 to 15.
    pub lock_sequence_number: u8,
    /// The bucket that the number belongs to; 0 for none, 28 bits.
    pub lock_sequence_index: u32,
    pub file_id: FileId,
    pub locks: Vec<LockElement>,
}

impl Message for LockRequest {
    fn decode(message: &Bytes) -> Result<Self, DecodeError> {
        let mut r = body(message)?;
        r.structure_size(REQUEST_SIZE)?;
        let count = usize::from(r.u16()?);
        let lock_sequence = r.u32()?;
        let file_id = file_id(&mut r)?;
        if r.remaining() < count * ELEMENT_SIZE {
            return Err(DecodeError::Truncated);
        }
        let mut locks = Vec::with_capacity(count);
        for _ in 0..count {
            let (offset, length) = (r.u64()?, r.u64()?);
            let flags = LockFlags(r.u32()?);
            r.skip(4)?;
            locks.push(LockElement { offset, length, flags });
        }
        Ok(LockRequest {
            lock_sequence_number: (lock_sequence & 0xF) as u8,
            lock_sequence_index: lock_sequence >> 4,
            file_id,
            locks,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(REQUEST_SIZE);
        w.u16(u16::try_from(self.locks.len()).unwrap_or(u16::MAX));
        w.u32(self.lock_sequence_index << 4 | u32::from(self.lock_sequence_number & 0xF));
        put_file_id(w, self.file_id);
        for lock in &self.locks {
            w.u64(lock.offset);
            w.u64(lock.length);
            w.u32(lock.flags.0);
            w.u32(0);
        }
    }
}

empty_message! {
    /// All ranges are as asked.
    LockResponse
}
