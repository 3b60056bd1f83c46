//! Which folder each other node has: a node whose folder was made anew forgot its votes and what it
//! had acknowledged, and must not speak under its old id.
//!
//! A folder draws an identity when its node first starts. Nodes tell it in the handshake of every
//! stream, in both directions, so neither a question nor an answer of a vote passes without. It is
//! compared with what the log recorded at the node's joins, and with what this node saw itself: that
//! is noted durably before the first stream is used, for votes come before joins.
//!
//! An id's identity never changes: a node that lost its folder comes back under a new id.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::{Guid, NodeId};
use tokio::sync::{Mutex, watch};

use super::lives;
use super::replica::Replica;
use crate::kv::Kv;

/// What this node knows of the others' folders.
pub struct KnownFolders {
    kv: Arc<dyn Kv>,
    replica: Arc<Replica>,
    /// As this node saw them; the same as in the store.
    seen: Mutex<BTreeMap<u64, Guid>>,
    turned_away: watch::Sender<Option<String>>,
}

impl KnownFolders {
    /// Of the node with this store and replica.
    pub fn new(kv: Arc<dyn Kv>, replica: Arc<Replica>) -> Arc<KnownFolders> {
        let (turned_away, _) = watch::channel(None);
        Arc::new(KnownFolders { kv, replica, seen: Mutex::default(), turned_away })
    }

    /// Checks what a node said in a handshake, and notes it if nothing is known yet.
    ///
    /// # Errors
    /// Why the node must not take part, for people.
    pub async fn check(&self, node: u64, folder: &[u8]) -> Result<(), String> {
        let folder = folder
            .try_into()
            .map(Guid)
            .map_err(|_| format!("node {node} does not say which folder it has"))?;
        let mut seen = self.seen.lock().await;
        let state = self.replica.state();
        let logged = lives::identity_of_node(&state, NodeId(node)).and_then(|id| id.folder);
        let noted = match seen.get(&node) {
            Some(folder) => Some(*folder),
            None => self.load(node).await.map_err(|error| cannot_tell(node, &error))?,
        };
        if logged.or(noted).is_some_and(|known| known != folder) {
            return Err(forgot(node));
        }
        if noted.is_none() {
            self.save(node, folder).await.map_err(|error| cannot_tell(node, &error))?;
        }
        seen.insert(node, folder);
        Ok(())
    }

    async fn load(&self, node: u64) -> io::Result<Option<Guid>> {
        let Some(bytes) = self.kv.get(&key(node)).await? else { return Ok(None) };
        let folder = bytes[..]
            .try_into()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what was noted is damaged"))?;
        Ok(Some(Guid(folder)))
    }

    async fn save(&self, node: u64, folder: Guid) -> io::Result<()> {
        let value = Bytes::copy_from_slice(&folder.0);
        self.kv.write(vec![(key(node), Some(value))]).await?;
        self.kv.flush().await
    }

    /// Notes that another node said the same of this one.
    pub fn note_turned_away(&self, why: String) {
        self.turned_away.send_replace(Some(why));
    }

    /// Resolves when this node was turned away, with the reason.
    pub async fn turned_away(&self) -> String {
        let mut turned_away = self.turned_away.subscribe();
        loop {
            if let Some(why) = turned_away.borrow_and_update().clone() {
                return why;
            }
            // The sender lives as long as this.
            let _ = turned_away.changed().await;
        }
    }
}

/// What is said of a node that lost its folder.
pub fn forgot(node: u64) -> String {
    format!(
        "the folder of node {node} is not the one with which it took part in this cluster: it forgot \
         its votes and what it promised, and must not come back under its old id. Start it with the \
         folder that it had; if that is lost, remove node {node} from the cluster and let a node with \
         an empty folder join under a new id"
    )
}

fn cannot_tell(node: u64, error: &io::Error) -> String {
    format!("whether node {node} has the folder that it had cannot be told: {error}")
}

fn key(node: u64) -> Vec<u8> {
    format!("peer/{node}/folder").into_bytes()
}

#[cfg(all(test, not(madsim)))]
mod tests {
    use super::*;
    use crate::disk::sim::{SimDisk, SimLatency};
    use crate::kv::DiskStore;

    async fn known(disk: &SimDisk) -> Arc<KnownFolders> {
        let kv = Arc::new(DiskStore::open(disk.boot()).await.unwrap());
        let (replica, _effects) = Replica::new(NodeId(1));
        KnownFolders::new(kv, replica)
    }

    #[tokio::test]
    async fn the_folder_that_was_seen_first_counts_for_ever() {
        let disk = SimDisk::new(1, SimLatency::NONE);
        let known_folders = known(&disk).await;
        assert!(known_folders.check(2, &[]).await.is_err(), "every node says its folder");
        known_folders.check(2, &[7; 16]).await.unwrap();
        known_folders.check(2, &[7; 16]).await.unwrap();
        known_folders.check(3, &[8; 16]).await.unwrap();
        let refused = known_folders.check(2, &[8; 16]).await.unwrap_err();
        assert!(refused.contains("node 2") && refused.contains("new id"), "{refused}");
        disk.crash();
        let known_folders = known(&disk).await;
        assert!(known_folders.check(2, &[8; 16]).await.is_err(), "it is durable");
        known_folders.check(2, &[7; 16]).await.unwrap();
    }
}
