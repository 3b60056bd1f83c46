//! Which node of which cluster a folder belongs to: written once, by `cluster init`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use holdfast_proto::types::{Guid, NodeId};
use serde::{Deserialize, Serialize};

use super::{NodeFolder, make_private_folder, write_whole};
use crate::config::NodeConfig;

/// The version of the file.
const FORMAT: u32 = 1;

/// What `cluster init` settles for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderIdentity {
    /// The cluster.
    pub cluster: Guid,
    /// What clients know the cluster by; proposed by whoever leads first.
    pub cluster_name: String,
    /// This node.
    pub node: NodeId,
    /// The nodes with which the cluster began.
    pub founders: BTreeSet<NodeId>,
}

/// Why a folder cannot be begun, or cannot be served from.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is something in it.
    #[error(
        "{}: the folder is not empty; a cluster begins in an empty one. If it holds a node \
         already, start it with «holdfast serve»",
        .0.display()
    )]
    NotEmpty(PathBuf),
    /// There is no node in it.
    #[error(
        "{}: there is no node in this folder. If the cluster is new, run «holdfast cluster init» \
         first; if it is not, this is the wrong folder or its disk is not mounted: nothing is \
         begun by itself, because a node that lost its memory would break its promises",
        .0.display()
    )]
    Empty(PathBuf),
    /// It belongs to another node.
    #[error("{}: this folder belongs to node {found}, and the settings are those of node {wanted}", folder.display())]
    OtherNode { folder: PathBuf, found: u64, wanted: u64 },
    /// The settings list other nodes.
    #[error(
        "{}: the cluster was begun with the nodes {found}, and the settings list {listed}; list \
         the same ones",
        folder.display()
    )]
    OtherMembers { folder: PathBuf, found: String, listed: String },
    /// The file is not what this program wrote.
    #[error("{}: {what}", file.display())]
    Unreadable { file: PathBuf, what: String },
    /// The disk said no.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    cluster_id: String,
    cluster_name: String,
    node_id: u64,
    founders: BTreeSet<u64>,
}

impl FolderIdentity {
    /// Begins the node's folder. It must be empty, or not be there.
    pub fn found(
        config: &NodeConfig,
        cluster: Guid,
        cluster_name: &str,
    ) -> Result<FolderIdentity, IdentityError> {
        let folder = NodeFolder::at(&config.folder);
        let io = |error| IdentityError::Io { path: folder.path().to_owned(), error };
        make_private_folder(folder.path()).map_err(io)?;
        if fs::read_dir(folder.path()).map_err(io)?.next().is_some() {
            return Err(IdentityError::NotEmpty(folder.path().to_owned()));
        }
        let identity = FolderIdentity {
            cluster,
            cluster_name: cluster_name.to_owned(),
            node: config.id,
            founders: config.peers.keys().copied().collect(),
        };
        make_private_folder(&folder.lives()).map_err(io)?;
        write_whole(&folder.identity(), identity.to_toml().as_bytes(), 0o600).map_err(io)?;
        Ok(identity)
    }

    /// Reads a folder's identity and checks that the settings are the same node's.
    pub fn open(config: &NodeConfig) -> Result<FolderIdentity, IdentityError> {
        let folder = NodeFolder::at(&config.folder);
        let identity = Self::read(&folder)?;
        if identity.node != config.id {
            return Err(IdentityError::OtherNode {
                folder: folder.path().to_owned(),
                found: identity.node.0,
                wanted: config.id.0,
            });
        }
        if !config.peers.keys().eq(&identity.founders) {
            let list = |ids: &mut dyn Iterator<Item = &NodeId>| {
                ids.map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ")
            };
            return Err(IdentityError::OtherMembers {
                folder: folder.path().to_owned(),
                found: list(&mut identity.founders.iter()),
                listed: list(&mut config.peers.keys()),
            });
        }
        Ok(identity)
    }

    /// Reads a folder's identity.
    pub fn read(folder: &NodeFolder) -> Result<FolderIdentity, IdentityError> {
        let file = folder.identity();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(IdentityError::Empty(folder.path().to_owned()));
            }
            Err(error) => return Err(IdentityError::Io { path: file, error }),
        };
        let wrong = |what: String| IdentityError::Unreadable { file: file.clone(), what };
        let written: Written = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if written.format != FORMAT {
            return Err(wrong(format!(
                "the file has format {}, and this program reads format {FORMAT}",
                written.format
            )));
        }
        Ok(FolderIdentity {
            cluster: written.cluster_id.parse().map_err(|_| {
                wrong(format!("cluster_id «{}» is not a cluster's id", written.cluster_id))
            })?,
            cluster_name: written.cluster_name,
            node: NodeId(written.node_id),
            founders: written.founders.into_iter().map(NodeId).collect(),
        })
    }

    fn to_toml(&self) -> String {
        let founders: Vec<String> = self.founders.iter().map(|node| node.0.to_string()).collect();
        format!(
            "# Written by «holdfast cluster init». It ties this folder to one node of one cluster.\n\
             format = {FORMAT}\ncluster_id = \"{}\"\ncluster_name = {}\nnode_id = {}\nfounders = [{}]\n",
            self.cluster,
            toml::Value::String(self.cluster_name.clone()),
            self.node.0,
            founders.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::tests_scratch::Scratch;
    use std::path::Path;

    fn config(folder: &Path, id: u64) -> NodeConfig {
        let text = format!(
            "[node]\nid = {id}\nfolder = \"{}\"\n[cluster]\nlisten = \"127.0.0.{id}:7\"\n\
             [[cluster.peer]]\nid = 1\naddress = \"127.0.0.1:7\"\n\
             [[cluster.peer]]\nid = 2\naddress = \"127.0.0.2:7\"\n\
             [[volume]]\nid = 1\npath = \"/v\"\n",
            folder.display()
        );
        NodeConfig::parse(Path::new("/x.toml"), &text).unwrap()
    }

    #[test]
    fn a_folder_begins_once_and_belongs_to_its_node() {
        let scratch = Scratch::new("identity");
        let folder = scratch.path().join("n1");
        let cluster = Guid([7; 16]);
        assert!(matches!(FolderIdentity::open(&config(&folder, 1)), Err(IdentityError::Empty(_))));
        let begun = FolderIdentity::found(&config(&folder, 1), cluster, "HOLD\"FAST").unwrap();
        assert_eq!(FolderIdentity::open(&config(&folder, 1)).unwrap(), begun);
        assert!(matches!(
            FolderIdentity::found(&config(&folder, 1), cluster, "X"),
            Err(IdentityError::NotEmpty(_))
        ));
        assert!(matches!(
            FolderIdentity::open(&config(&folder, 2)),
            Err(IdentityError::OtherNode { found: 1, wanted: 2, .. })
        ));
        let mut alone = config(&folder, 1);
        alone.peers.remove(&NodeId(2));
        assert!(matches!(FolderIdentity::open(&alone), Err(IdentityError::OtherMembers { .. })));
        fs::write(NodeFolder::at(&folder).identity(), "format = 9").unwrap();
        assert!(matches!(
            FolderIdentity::open(&config(&folder, 1)),
            Err(IdentityError::Unreadable { .. })
        ));
    }
}
