//! An open of a file or directory as this node serves it ([MS-SMB2] 3.3.1.10).
//!
//! What decides about the open is in the cluster's state under [`LocalOpen::open`]; here is what
//! serving it needs: the descriptor, the granted access, and what moves with each request.

use std::collections::VecDeque;
use std::sync::Arc;

use holdfast_cluster::command::{Durability, OpenRef, Place};
use holdfast_proto::types::{
    AccessMask, CreateGuid, CreateOptions, FileKey, LeaseKey, SessionId, ShareId,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::ChannelGauges;
use crate::signal::Signal;
use crate::vfs::{Entry, VfsFile};

/// One open of this node. Filled by CREATE; taken out by CLOSE and whatever else ends it.
#[derive(Debug)]
pub struct LocalOpen {
    /// FileId.Volatile: this node's own number, [`crate::node::Node::next_volatile`].
    pub volatile: u64,
    /// FileId.Persistent and the generation in which this node holds it.
    pub open: OpenRef,
    pub session: SessionId,
    /// The tree connect that it was opened through.
    pub tree: u32,
    pub share: ShareId,
    pub file: FileKey,
    /// The descriptor.
    pub handle: Arc<dyn VfsFile>,
    pub directory: bool,
    /// GrantedAccess.
    pub access: AccessMask,
    /// As they count: with what the server forces.
    pub create_options: CreateOptions,
    pub durability: Durability,
    pub create_guid: Option<CreateGuid>,
    /// The lease that the open belongs to.
    pub lease_key: Option<LeaseKey>,
    /// Every write is stable before it is answered: a continuously available share, or
    /// FILE_WRITE_THROUGH.
    pub stable_writes: bool,
    /// Open.ChannelSequence and the gauges of outstanding requests.
    pub gauges: Mutex<ChannelGauges>,
    /// What requests change. Never held across an await.
    pub state: Mutex<OpenState>,
    /// One listing request at a time.
    pub listing: Semaphore,
    /// Raised when the answer that gave the open out was queued: no break of its lease goes out
    /// before.
    pub answered: Signal,
}

/// What requests change about an open.
#[derive(Clone, Debug, Default)]
pub struct OpenState {
    /// Where the file hangs; a rename moves it.
    pub place: Place,
    /// FilePositionInformation.
    pub position: u64,
    /// FileModeInformation's changeable bits.
    pub mode: u32,
    /// How many extended attributes the client was told of: Open.CurrentEaIndex, which begins
    /// with 1, less that.
    pub attributes_told: usize,
    /// The listing under way.
    pub search: Option<SearchState>,
}

/// Open.EnumerationLocation and Open.EnumerationSearchPattern: a listing resumes by name, so
/// that it goes on where another node stopped.
#[derive(Clone, Debug, Default)]
pub struct SearchState {
    pub pattern: String,
    /// The last name that the client was given.
    pub last_name: Option<String>,
    /// Entries read and not yet given.
    pub ahead: VecDeque<Entry>,
    /// Nothing comes after them.
    pub end: bool,
}

impl SearchState {
    /// A listing that goes on where another node stopped.
    pub fn resumed(pattern: &str, last_name: &str) -> SearchState {
        SearchState {
            pattern: pattern.to_owned(),
            last_name: Some(last_name.to_owned()),
            ..SearchState::default()
        }
    }
}
