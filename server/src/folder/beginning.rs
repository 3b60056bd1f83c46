//! The one way in which a node's folder begins, and the check that it has.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_cluster::command::Timers;
use holdfast_cluster::disk::LocalDisk;
use holdfast_cluster::kv::SledStore;
use holdfast_cluster::raft::folder::{Folder, FolderError, Founding};
use holdfast_proto::types::Guid;

use super::{FolderLock, LockError, NodeFolder, make_private_folder};
use crate::config::NodeConfig;

/// Why a folder cannot be begun, or cannot be served from.
#[derive(Debug, thiserror::Error)]
pub enum BeginningError {
    /// There is something in it.
    #[error(
        "{}: the folder is not empty, and a cluster begins in an empty one; if it holds a node \
         already, start that with «holdfast serve»",
        .0.display()
    )]
    NotEmpty(PathBuf),
    /// There is no node in it.
    #[error(
        "{}: there is no node in this folder. For a new cluster, run «holdfast cluster init» \
         first. If the cluster is not new, this is the wrong folder or its disk is not mounted: \
         nothing begins by itself, because a node that lost its memory would break its promises",
        .0.display()
    )]
    Empty(PathBuf),
    /// The settings list other members than the cluster was begun with.
    #[error(
        "{}: the cluster was begun with the nodes {founded}, and the settings list {listed}; list \
         the same ones",
        folder.display()
    )]
    OtherMembers { folder: PathBuf, founded: String, listed: String },
    #[error("{}: {error}", folder.display())]
    Folder { folder: PathBuf, error: FolderError },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

/// The stores in a node's folder.
pub struct Stores {
    pub disk: Arc<LocalDisk>,
    pub kv: Arc<SledStore>,
}

impl NodeFolder {
    /// Begins this folder: it must be empty, or not be there.
    pub async fn begin(
        &self,
        config: &NodeConfig,
        cluster_id: Guid,
        cluster_name: &str,
    ) -> Result<(), BeginningError> {
        let io = |error| BeginningError::Io { path: self.path().to_owned(), error };
        make_private_folder(self.path()).map_err(io)?;
        if fs::read_dir(self.path()).map_err(io)?.next().is_some() {
            return Err(BeginningError::NotEmpty(self.path().to_owned()));
        }
        let _lock = FolderLock::take(self)?;
        for part in [self.lives(), self.wal(), self.store()] {
            make_private_folder(&part).map_err(io)?;
        }
        let stores = self.open_stores().await?;
        let founding = Founding {
            cluster_id,
            server_guid: server_guid_of(cluster_id),
            name: cluster_name.to_owned(),
            timers: Timers::default(),
            members: config.peers.iter().map(|(id, at)| (*id, at.to_string())).collect(),
        };
        Folder::create(stores.kv, stores.disk, config.id, &founding)
            .await
            .map_err(|error| BeginningError::Folder { folder: self.path().to_owned(), error })
    }

    /// Checks, without touching it, that somebody began this folder.
    pub fn must_have_begun(&self) -> Result<(), BeginningError> {
        let begun = [self.lives(), self.wal(), self.store()].iter().all(|part| part.is_dir());
        if begun { Ok(()) } else { Err(BeginningError::Empty(self.path().to_owned())) }
    }

    /// Opens what is in the folder; the caller holds its lock.
    pub async fn open_stores(&self) -> Result<Stores, BeginningError> {
        let io = |path: PathBuf| move |error| BeginningError::Io { path, error };
        Ok(Stores {
            disk: Arc::new(LocalDisk::open(self.wal()).map_err(io(self.wal()))?),
            kv: Arc::new(SledStore::open(self.store()).await.map_err(io(self.store()))?),
        })
    }

    /// Checks that the settings list the members that the cluster was begun with, and tells the
    /// cluster's id. Changes of membership go through the cluster, not through settings.
    pub async fn check_members(
        &self,
        config: &NodeConfig,
        stores: &Stores,
    ) -> Result<Guid, BeginningError> {
        let folder = Folder::open(stores.kv.clone())
            .await
            .map_err(|error| BeginningError::Folder { folder: self.path().to_owned(), error })?;
        let listed = config.peers.iter().map(|(id, address)| (*id, address.to_string()));
        if listed.clone().eq(folder.members().iter().map(|(id, at)| (*id, at.clone()))) {
            return Ok(folder.cluster_id());
        }
        let text = |members: &mut dyn Iterator<Item = (_, String)>| {
            members
                .map(|(id, at): (holdfast_proto::types::NodeId, _)| format!("{} at {at}", id.0))
                .collect::<Vec<_>>()
                .join(", ")
        };
        Err(BeginningError::OtherMembers {
            folder: self.path().to_owned(),
            founded: text(&mut folder.members().iter().map(|(id, at)| (*id, at.clone()))),
            listed: text(&mut listed.into_iter()),
        })
    }
}

/// ServerGuid, by which clients recognise the cluster as one server: each founder must come to the
/// same, and all that they share before they meet is the cluster's id.
fn server_guid_of(cluster_id: Guid) -> Guid {
    Guid(cluster_id.0.map(|byte| !byte))
}
