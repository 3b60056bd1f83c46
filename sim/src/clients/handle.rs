//! A handle as its client knows it.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::types::{CreateGuid, FileId, LeaseKey};

use crate::event::{At, Block, HandleId};

/// A handle, or a CREATE whose answer is not known.
pub struct Handle {
    pub id: HandleId,
    pub file: String,
    /// CREATE of a name that nobody else uses.
    pub exclusive: bool,
    pub create_guid: CreateGuid,
    pub lease: Option<LeaseKey>,
    /// When its CREATE was sent first.
    pub begun: At,
    /// None until a CREATE was answered.
    pub file_id: Option<FileId>,
    /// Bound to the present link.
    pub attached: bool,
    /// The node through which it was had last.
    pub node: u64,
    /// The server promised to keep it.
    pub promised: bool,
    /// CLOSE was sent: it may be gone.
    pub closing: bool,
    /// When the last request was sent that was answered as only for a living handle.
    pub confirmed: At,
    /// Blocks that are locked.
    pub locks: BTreeSet<u32>,
    /// LockSequenceNumber of each bucket.
    pub lock_numbers: BTreeMap<u32, u8>,
}

impl Handle {
    pub fn block(&self, index: u32) -> Block {
        Block { file: self.file.clone(), index }
    }

    /// The number for the next operation on a bucket.
    pub fn next_lock_number(&mut self, bucket: u32) -> u8 {
        let number = self.lock_numbers.entry(bucket).or_insert(0);
        *number = (*number + 1) % 16;
        *number
    }
}
