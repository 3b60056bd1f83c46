//! The folder of one examination: made before it, removed with everything in it afterwards.

use std::sync::Arc;

use holdfast_proto::types::{FileAttributes, VolumeId};

use super::bench::folder_of;
use crate::node::Node;
use crate::vfs::{DirRef, FileKind, Issuer, Named, NewNode, OpenAccess, Vfs, VfsError, VfsResult};

/// What an examination that ended half-way left behind is removed by one that begins so much
/// later, in FileTime's units of 100 ns: ten minutes.
const STALE: u64 = 600 * 10_000_000;
/// Folders of others that are removed at one time.
const STALE_MAX: usize = 16;
/// Entries that are read at one time.
const BATCH: usize = 256;

/// An examination's folder.
pub struct Trial {
    volume: Arc<dyn Vfs>,
    by: Issuer,
    trials: DirRef,
    folder: DirRef,
}

impl Trial {
    /// Makes the folder, and removes what others left long ago.
    ///
    /// # Errors
    /// Why it cannot be made, for people.
    pub async fn begin(node: &Node, volume: VolumeId, run: u64) -> Result<Trial, String> {
        let storage = node.volume(volume).ok_or("this node has no such volume")?;
        let _permit =
            node.gate.enter_for_node(|_| true).await.map_err(|error| error.to_string())?;
        let made = make(Arc::clone(storage), node.issuer(), run).await;
        made.map_err(|error| format!("the folder for the examination cannot be made: {error}"))
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// Why something of it is left, for people.
    pub async fn end(self, node: &Node) -> Result<(), String> {
        let _permit =
            node.gate.enter_for_node(|_| true).await.map_err(|error| error.to_string())?;
        remove(&*self.volume, self.by, &self.trials, &self.folder)
            .await
            .map_err(|error| format!("{} is left on the volume: {error}", self.folder.path))
    }
}

async fn make(volume: Arc<dyn Vfs>, by: Issuer, run: u64) -> VfsResult<Trial> {
    let trials = volume.trial_folder(by).await?;
    let name = folder_of(run);
    let new = NewNode::new(FileKind::Directory, FileAttributes::NONE);
    let key = volume.create_exclusive(by, &trials, &name, &new).await?;
    let folder = trials.child_dir(&name, key);
    let trial = Trial { volume, by, trials, folder };
    if let Err(error) = trial.remove_stale().await {
        tracing::warn!(%error, "what an earlier examination left behind cannot be removed");
    }
    Ok(trial)
}

impl Trial {
    async fn remove_stale(&self) -> VfsResult<()> {
        let dir = self.volume.open(self.by, &self.trials.place(), OpenAccess::METADATA).await?;
        let entries = dir.list(None, BATCH).await?.entries;
        // By the storage's own clock.
        let own = entries.iter().find(|entry| entry.stat.key == self.folder.key);
        let now = own.map_or(0, |entry| entry.stat.times.write.0);
        let stale = |entry: &&crate::vfs::Entry| {
            entry.stat.kind == FileKind::Directory
                && entry.stat.times.write.0.saturating_add(STALE) < now
        };
        for entry in entries.iter().filter(stale).take(STALE_MAX) {
            let folder = self.trials.child_dir(&entry.name, entry.stat.key);
            remove(&*self.volume, self.by, &self.trials, &folder).await?;
        }
        Ok(())
    }
}

/// Removes a folder of files.
async fn remove(volume: &dyn Vfs, by: Issuer, trials: &DirRef, folder: &DirRef) -> VfsResult<()> {
    let dir = volume.open(by, &folder.place(), OpenAccess::METADATA).await?;
    loop {
        let entries = dir.list(None, BATCH).await?.entries;
        let before = entries.len();
        for entry in entries {
            let what = Named { dir: folder, name: &entry.name, key: entry.stat.key };
            match volume.remove(by, what).await {
                // A listing that is not of this moment.
                Ok(_) | Err(VfsError::NotFound | VfsError::Replaced { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if before < BATCH {
            break;
        }
    }
    drop(dir);
    let (_, name) = folder.path.split_last().ok_or(VfsError::InvalidPath)?;
    volume.remove(by, Named { dir: trials, name, key: folder.key }).await?;
    Ok(())
}
