//! The Open of [MS-SMB2] 3.3.1.10, as far as it outlives a connection.
//!
//! Invariant: an open is bound to one session on one life of one node, or it waits for its client
//! until its deadline. Each time it is given back its generation rises, and whatever names an
//! older one is void.

use holdfast_proto::types::{
    AccessMask, ClientGuid, CreateAction, CreateDisposition, CreateGuid, CreateOptions,
    FileAttributes, LeaseKey, OpenId, SessionId, ShareAccess, ShareId, Sid,
};
use imbl::OrdMap;

use super::lease::LeaseId;
use crate::command::{Durability, NodeLife, OpenRef, Place};
use crate::log_time::LogTime;

/// Who an open belongs to now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A session on a node serves it.
    Bound { life: NodeLife, session: SessionId },
    /// It waits for its client.
    Disconnected { deadline: LogTime },
}

/// An open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Open {
    pub id: OpenId,
    pub generation: u64,
    pub binding: Binding,
    pub client_guid: ClientGuid,
    pub owner: Sid,
    pub share: ShareId,
    pub place: Place,
    pub desired_access_raw: AccessMask,
    pub access: AccessMask,
    pub share_access: ShareAccess,
    pub disposition: CreateDisposition,
    pub create_options_raw: CreateOptions,
    pub create_options: CreateOptions,
    pub file_attributes: FileAttributes,
    /// What was granted, with its time-out.
    pub durability: Durability,
    pub create_guid: Option<CreateGuid>,
    /// The lease that it belongs to; the lease is in the same file's state.
    pub lease_key: Option<LeaseKey>,
    pub oplock: u8,
    pub channel_sequence: u16,
    /// What its CREATE did: a replay is told the same.
    pub action: CreateAction,
    /// LockSequenceArray: only valid entries, by index.
    pub lock_sequences: OrdMap<u8, u8>,
    /// The position of a directory's listing.
    pub search: Option<(String, String)>,
    /// The barriers of its grants are known to be through.
    pub effective: bool,
    /// The path before the last rename: the answer to it may have been lost.
    pub former_path: Option<String>,
}

impl Open {
    /// This open in its present generation.
    pub fn open_ref(&self) -> OpenRef {
        OpenRef { open: self.id, generation: self.generation }
    }

    /// Who serves it, if anyone does.
    pub fn bound_to(&self) -> Option<(NodeLife, SessionId)> {
        match self.binding {
            Binding::Bound { life, session } => Some((life, session)),
            Binding::Disconnected { .. } => None,
        }
    }

    /// True while it waits for its client.
    pub fn is_disconnected(&self) -> bool {
        self.bound_to().is_none()
    }

    /// Open.IsPersistent.
    pub fn is_persistent(&self) -> bool {
        matches!(self.durability, Durability::Persistent { .. })
    }

    /// How long it waits for its client; none if it does not.
    pub fn timeout_millis(&self) -> Option<u64> {
        match self.durability {
            Durability::None => None,
            Durability::Durable { timeout_millis } | Durability::Persistent { timeout_millis } => {
                Some(timeout_millis)
            }
        }
    }

    /// The lease that it belongs to.
    pub fn lease_id(&self) -> Option<LeaseId> {
        self.lease_key.map(|key| LeaseId { client_guid: self.client_guid, key })
    }

    /// FILE_DELETE_ON_CLOSE was asked for at its CREATE.
    pub fn deletes_on_close(&self) -> bool {
        self.create_options.contains(CreateOptions::DELETE_ON_CLOSE)
    }
}
