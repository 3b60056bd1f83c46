//! Tree connects ([MS-SMB2] 3.3.1.9).

use std::sync::Arc;

use holdfast_cluster::command::ShareSettings;
use holdfast_proto::types::{AccessMask, ShareId};

use crate::vfs::{DirRef, Vfs};

/// A tree connect to a share of files. The share's settings are those of the moment at which
/// the client connected.
#[derive(Clone, Debug)]
pub struct Tree {
    /// TreeId.
    pub id: u32,
    /// The share in the cluster's state; a share of the same name made anew has another id.
    pub share: ShareId,
    pub settings: ShareSettings,
    /// MaximalAccess: what the user may ever be granted here.
    pub maximal_access: AccessMask,
    /// The volume that the share is on.
    pub volume: Arc<dyn Vfs>,
    /// The share's own directory in it.
    pub root: DirRef,
}

/// An entry of Session.TreeConnectTable.
#[derive(Clone, Debug)]
pub enum TreeConnect {
    /// A share of files.
    Disk(Arc<Tree>),
    /// IPC$, with its TreeId.
    Ipc(u32),
}

impl TreeConnect {
    /// TreeId.
    pub fn id(&self) -> u32 {
        match self {
            TreeConnect::Disk(tree) => tree.id,
            TreeConnect::Ipc(id) => *id,
        }
    }

    /// TreeConnect.Share.EncryptData.
    pub fn encrypt(&self) -> bool {
        match self {
            TreeConnect::Disk(tree) => tree.settings.encrypt,
            TreeConnect::Ipc(_) => false,
        }
    }
}
