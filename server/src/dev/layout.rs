//! What lies where in a dev cluster's folder, and how it begins.
//!
//! `dev.toml` is written last: a folder that has it holds a whole cluster.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use holdfast_cluster::ports::Random;
use holdfast_proto::types::{NodeId, VolumeId};
use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{DevArguments, ports};
use crate::admin::{check_share_name, check_user_name};
use crate::certificates::{AUTHORITY_DAYS, Authority, CertificateFolder, NODE_DAYS};
use crate::cli::{DEFAULT_NAME, check_password, new_cluster_id};
use crate::clock::HostClock;
use crate::config::{FenceSettings, NodeConfig, Timers};
use crate::folder::{NodeFolder, write_whole};
use crate::random::HostRandom;

type Error = Box<dyn std::error::Error + Send + Sync>;

const NODES_DEFAULT: u8 = 3;
/// What a dev cluster remembers of itself.
pub const REMEMBERED: &str = "dev.toml";
const VOLUME: VolumeId = VolumeId(1);

/// Who may log on to what, as it was asked for.
pub struct Access {
    pub share: String,
    pub user: Option<String>,
    pub password: Option<String>,
}

impl Access {
    /// From the command line, checked before anything is begun.
    pub fn chosen(arguments: &DevArguments) -> Result<Access, String> {
        check_share_name(&arguments.share)?;
        if let Some(user) = &arguments.user {
            check_user_name(user)?;
        }
        if let Some(password) = &arguments.password {
            check_password(password)?;
        }
        Ok(Access {
            share: arguments.share.clone(),
            user: arguments.user.clone(),
            password: arguments.password.clone(),
        })
    }
}

/// What a dev cluster remembers of itself.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    nodes: u8,
    peer_port: u16,
    /// The nodes talk TLS to each other.
    #[serde(default)]
    tls: bool,
    /// The user that was shown last.
    pub user: Option<String>,
    /// Passwords that were made up here, by user. Chosen ones are not kept.
    #[serde(default)]
    pub passwords: BTreeMap<String, String>,
}

/// The folder itself; a scratch folder goes with the value.
struct Root {
    path: PathBuf,
    scratch: bool,
}

impl Root {
    fn make(dir: Option<&Path>) -> Result<Root, Error> {
        let (wanted, scratch) = match dir {
            Some(dir) => (dir.to_owned(), false),
            None => (scratch_path(), true),
        };
        make_folder(&wanted).map_err(at(&wanted))?;
        Ok(Root { path: wanted.canonicalize().map_err(at(&wanted))?, scratch })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if self.scratch
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            eprintln!("holdfast: {}: {error}", self.path.display());
        }
    }
}

/// A dev cluster's folder, held by this process.
pub struct Layout {
    root: Root,
    smb_port: u16,
    fence: FenceSettings,
    /// True if it was there before.
    pub reopened: bool,
    remembered: Mutex<Remembered>,
    _lock: File,
}

impl Layout {
    /// Opens the folder, or begins a cluster in it; without one, in a scratch folder.
    pub async fn open(
        dir: Option<&Path>,
        nodes: Option<u8>,
        smb_port: u16,
        tls: bool,
        fence: FenceSettings,
    ) -> Result<Layout, Error> {
        let made = Root::make(dir)?;
        let root = made.path.as_path();
        let lock = take_lock(root)?;
        let (remembered, reopened) = match read_remembered(&root.join(REMEMBERED))? {
            Some(remembered) => (remembered, true),
            None => {
                must_be_empty(root)?;
                let nodes = nodes.unwrap_or(NODES_DEFAULT);
                let peer_port = ports::free_for_peers(nodes, smb_port)?;
                let passwords = BTreeMap::new();
                (Remembered { nodes, peer_port, tls, user: None, passwords }, false)
            }
        };
        if let Some(nodes) = nodes.filter(|nodes| *nodes != remembered.nodes) {
            return Err(format!(
                "{}: the cluster in this folder has {} nodes, not {nodes}; leave --nodes out, or \
                 take another --dir",
                root.display(),
                remembered.nodes
            )
            .into());
        }
        if tls && !remembered.tls {
            return Err(format!(
                "{}: the cluster in this folder was begun without --tls; leave it out, or take \
                 another --dir",
                root.display()
            )
            .into());
        }
        ports::must_be_free(remembered.nodes, smb_port)?;
        ports::must_be_free(remembered.nodes, remembered.peer_port)?;
        let layout = Layout {
            root: made,
            smb_port,
            fence,
            reopened,
            remembered: Mutex::new(remembered),
            _lock: lock,
        };
        layout.write_settings().await?;
        Ok(layout)
    }

    /// The nodes' settings are written at each start: the port may be another one now.
    async fn write_settings(&self) -> Result<(), Error> {
        let cluster_id = new_cluster_id(&HostRandom);
        make_folder(&self.volume()).map_err(at(&self.volume()))?;
        if !self.reopened && self.remembered().tls {
            let authority = self.root().join("authority");
            let authority = Authority::begin(&authority, cluster_id, AUTHORITY_DAYS, &HostClock)?;
            for node in self.nodes() {
                let folder = CertificateFolder::at(self.certificates(node));
                authority.issue(node, &folder, NODE_DAYS, &HostClock)?;
            }
        }
        for node in self.nodes() {
            let config = self.config(node);
            if !self.reopened {
                self.folder(node).begin(&config, cluster_id, DEFAULT_NAME).await?;
            }
            let file = self.settings(node);
            write_whole(&file, config.to_toml().as_bytes(), 0o644).map_err(at(&file))?;
        }
        self.remember(|_| {})
    }

    fn config(&self, node: NodeId) -> NodeConfig {
        let Remembered { peer_port, tls, .. } = self.remembered();
        NodeConfig {
            id: node,
            name: format!("node{}", node.0),
            folder: self.folder(node).path().to_owned(),
            smb_listen: vec![self.address(node)],
            peer_listen: SocketAddr::from((ip(node), peer_port)),
            peers: self.nodes().map(|node| (node, (ip(node), peer_port).into())).collect(),
            certificates: tls.then(|| self.certificates(node)),
            volumes: [(VOLUME, self.volume())].into(),
            timers: Timers::default(),
            fence: self.fence.clone(),
        }
    }

    /// Every node of the cluster.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=u64::from(self.remembered.lock().nodes)).map(NodeId)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root.path
    }

    /// Where the files of the share lie.
    pub fn volume(&self) -> PathBuf {
        self.root.path.join("volume")
    }

    /// A node's folder.
    pub fn folder(&self, node: NodeId) -> NodeFolder {
        NodeFolder::at(self.root.path.join(format!("node{}", node.0)))
    }

    /// Every node's folder.
    pub fn folders(&self) -> BTreeMap<NodeId, NodeFolder> {
        self.nodes().map(|node| (node, self.folder(node))).collect()
    }

    /// A node's settings file.
    pub fn settings(&self, node: NodeId) -> PathBuf {
        self.folder(node).path().join("node.toml")
    }

    /// A node's certificates, if there are any.
    fn certificates(&self, node: NodeId) -> PathBuf {
        self.root.path.join("certificates").join(format!("node{}", node.0))
    }

    /// Where a node's log goes.
    pub fn log(&self, node: NodeId) -> PathBuf {
        self.folder(node).path().join("log")
    }

    /// Where clients find a node.
    pub fn address(&self, node: NodeId) -> SocketAddr {
        SocketAddr::from((ip(node), self.smb_port))
    }

    /// What is remembered from one run to the next.
    pub fn remembered(&self) -> Remembered {
        self.remembered.lock().clone()
    }

    /// Changes what is remembered.
    pub fn remember(&self, change: impl FnOnce(&mut Remembered)) -> Result<(), Error> {
        let mut remembered = self.remembered.lock();
        change(&mut remembered);
        let file = self.root.path.join(REMEMBERED);
        let text = toml::to_string(&*remembered)?;
        write_whole(&file, text.as_bytes(), 0o600).map_err(at(&file))
    }
}

/// Node 1 is 127.0.0.1, node 2 is 127.0.0.2.
pub fn ip(node: NodeId) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(node.0).unwrap_or(u8::MAX))
}

fn scratch_path() -> PathBuf {
    std::env::temp_dir().join(format!("holdfast-dev-{:08x}", HostRandom.next_u64() as u32))
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn take_lock(root: &Path) -> Result<File, Error> {
    let path = root.join("dev.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(at(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(format!("{}: another «holdfast dev» runs in this folder", root.display()).into())
        }
        Err(error) => Err(at(&path)(error.into())),
    }
}

fn must_be_empty(root: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(root).map_err(at(root))? {
        if entry.map_err(at(root))?.file_name() != "dev.lock" {
            return Err(format!(
                "{}: the folder holds something, and no whole dev cluster; take an empty one",
                root.display()
            )
            .into());
        }
    }
    Ok(())
}

fn read_remembered(file: &Path) -> Result<Option<Remembered>, Error> {
    match fs::read_to_string(file) {
        Ok(text) => match toml::from_str(&text) {
            Ok(remembered) => Ok(Some(remembered)),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(file)(error)),
    }
}

/// Says which file an error is about.
fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| format!("{}: {error}", path.display()).into()
}
