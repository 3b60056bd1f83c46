//! A handle as its client knows it.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::types::{CreateGuid, FileId, LeaseKey};

use super::super::history::{At, Block, HandleId, Stamp};

/// What a handle is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The client's own file.
    Own,
    /// A file that all use.
    Shared,
    /// A file that this handle has created.
    Created,
    /// Another client's own file, to try what must be refused.
    Intruder,
}

/// A handle, or a CREATE whose answer is not known.
pub struct Handle {
    pub id: HandleId,
    pub purpose: Purpose,
    pub file: String,
    pub create_guid: CreateGuid,
    pub lease: Option<LeaseKey>,
    /// None until a CREATE was answered.
    pub file_id: Option<FileId>,
    /// Bound to the present link.
    pub attached: bool,
    /// CLOSE was sent: it may be gone.
    pub closing: bool,
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

/// What is known of the operation that a client is about.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub invoked: At,
    /// When its present request was sent.
    pub sent: At,
}

/// What a READ gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    Stamp(Stamp),
    /// Torn, refused, or not to be had.
    Nothing,
}
