//! What a node's folder says about itself: the cluster, the node, and the members it began with.
//!
//! A folder is made once, on purpose; opening never makes one.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::{Guid, Incarnation, NodeId};
use prost::Message;

use super::log_store::LogStore;
use super::network::pb;
use crate::command::{Command, SubmitId, Timers};
use crate::disk::Disk;
use crate::encoding;
use crate::kv::Kv;
use crate::ports::Random;
use crate::state::Entry;
use crate::wal::{WalError, WalIdentity};

const RECORD: &[u8] = b"folder";
const VERSION: u32 = 1;

/// How a cluster begins: the same on every founding member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Founding {
    pub cluster_id: Guid,
    /// ServerGuid, the same on all nodes.
    pub server_guid: Guid,
    pub name: String,
    pub timers: Timers,
    /// Every member and its `ip:port` for the others.
    pub members: BTreeMap<NodeId, String>,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("the folder belongs to no cluster; a cluster is begun by `holdfast cluster init` only")]
    Empty,
    #[error("the folder already belongs to node {node} of cluster {cluster}")]
    Taken { cluster: Guid, node: NodeId },
    #[error("what the folder says about itself cannot be read: {0}")]
    Damaged(&'static str),
    #[error("the folder cannot be read or written: {0}")]
    Storage(#[from] io::Error),
    #[error("no log can be made in the folder: {0}")]
    Log(#[from] WalError),
}

/// A folder that belongs to a node.
pub struct Folder {
    kv: Arc<dyn Kv>,
    record: pb::FolderRecord,
    cluster_id: Guid,
    members: BTreeMap<NodeId, String>,
    founding: Command,
}

impl Folder {
    /// Makes the folder `node`'s in a new cluster.
    ///
    /// # Errors
    /// It belongs to a node already.
    pub async fn create(
        kv: Arc<dyn Kv>,
        disk: Arc<dyn Disk>,
        node: NodeId,
        founding: &Founding,
    ) -> Result<(), FolderError> {
        match Folder::open(kv.clone()).await {
            Err(FolderError::Empty) => {}
            Ok(folder) => {
                let (cluster, node) = (folder.cluster_id(), folder.node());
                return Err(FolderError::Taken { cluster, node });
            }
            Err(error) => return Err(error),
        }
        let identity = WalIdentity { cluster: founding.cluster_id.0, node: node.0 };
        LogStore::create(disk, identity).await?;
        let entry = Entry {
            elapsed_nanos: 0,
            submit: SubmitId { node, incarnation: Incarnation(0), sequence: 0 },
            command: Command::FoundCluster {
                cluster_id: founding.cluster_id,
                server_guid: founding.server_guid,
                name: founding.name.clone(),
                timers: founding.timers,
            },
        };
        let member = |(node, address): (&NodeId, &String)| pb::Member {
            node: node.0,
            address: address.clone(),
        };
        let record = pb::FolderRecord {
            version: VERSION,
            cluster_id: founding.cluster_id.0.to_vec().into(),
            node: node.0,
            members: founding.members.iter().map(member).collect(),
            founding: encoding::encode_entry(&entry),
            initialized: false,
            // Drawn at the first start.
            identity: Bytes::new(),
        };
        write(&kv, &record).await?;
        Ok(())
    }

    /// Reads what the folder says.
    ///
    /// # Errors
    /// It belongs to no cluster, or its record is damaged.
    pub async fn open(kv: Arc<dyn Kv>) -> Result<Folder, FolderError> {
        let bytes = kv.get(RECORD).await?.ok_or(FolderError::Empty)?;
        let record = pb::FolderRecord::decode(&bytes[..])
            .map_err(|_| FolderError::Damaged("its record cannot be decoded"))?;
        if record.version != VERSION {
            return Err(FolderError::Damaged("another version wrote it"));
        }
        let cluster_id = record.cluster_id[..]
            .try_into()
            .map(Guid)
            .map_err(|_| FolderError::Damaged("the cluster's id"))?;
        let members = record
            .members
            .iter()
            .map(|member| (NodeId(member.node), member.address.clone()))
            .collect();
        let founding = encoding::decode_entry(&record.founding)
            .map_err(|_| FolderError::Damaged("the founding command"))?
            .command;
        Ok(Folder { kv, record, cluster_id, members, founding })
    }

    /// The cluster that it belongs to.
    pub fn cluster_id(&self) -> Guid {
        self.cluster_id
    }

    /// The node that it belongs to.
    pub fn node(&self) -> NodeId {
        NodeId(self.record.node)
    }

    /// Which folder this is, as its node tells the others; drawn when it is first asked for.
    ///
    /// # Errors
    /// The store's, or the record is damaged.
    pub async fn identity(&mut self, random: &dyn Random) -> Result<Guid, FolderError> {
        if self.record.identity.is_empty() {
            let mut identity = [0; 16];
            random.fill(&mut identity);
            self.record.identity = identity.to_vec().into();
            write(&self.kv, &self.record).await?;
        }
        self.record.identity[..]
            .try_into()
            .map(Guid)
            .map_err(|_| FolderError::Damaged("its identity"))
    }

    /// Whose log it must hold.
    pub fn log_identity(&self) -> WalIdentity {
        WalIdentity { cluster: self.cluster_id.0, node: self.record.node }
    }

    /// The members that the cluster began with.
    pub fn members(&self) -> &BTreeMap<NodeId, String> {
        &self.members
    }

    /// The command that founds the cluster.
    pub fn founding(&self) -> &Command {
        &self.founding
    }

    /// True once the log was begun with the members.
    pub fn is_initialized(&self) -> bool {
        self.record.initialized
    }

    /// The log was begun: from now on a folder without one is refused.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_initialized(&mut self) -> io::Result<()> {
        self.record.initialized = true;
        write(&self.kv, &self.record).await
    }
}

async fn write(kv: &Arc<dyn Kv>, record: &pb::FolderRecord) -> io::Result<()> {
    let bytes = Bytes::from(record.encode_to_vec());
    kv.write(vec![(RECORD.to_vec(), Some(bytes))]).await?;
    kv.flush().await
}
