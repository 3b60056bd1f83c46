//! A node's settings file.
//!
//! It names what belongs to one node: its id, its folder, its addresses, its peers, where the
//! volumes lie on its host, how other nodes are fenced, and the timers. Shares, users and limits belong to the cluster and
//! live in the replicated state.
//!
//! Invariants of a [`NodeConfig`] that [`NodeConfig::parse`] gave out:
//! - the node is one of its own peers, and listens for them where that entry says;
//! - ids and addresses are used once;
//! - the timers pass [`Timers::conflicts`].
//!
//! Whatever is wrong is told with file, line, setting and what would be right, all of it at once.

mod fence;
mod problem;
mod reader;
mod suggestion;
mod timers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use holdfast_proto::types::{NodeId, VolumeId};

pub use fence::{FenceCommand, FenceSettings, FenceUse};
pub use problem::{ConfigError, Problem};
use reader::{Document, Section};
pub use timers::Timers;

/// Where a node serves if its file does not say.
const DEFAULT_SMB_LISTEN: &str = "0.0.0.0:445";
/// The most nodes of a cluster: every one of them votes.
pub const NODES_MAX: usize = 9;

/// One node's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeConfig {
    /// The node's number in the cluster.
    pub id: NodeId,
    /// Its name for people.
    pub name: String,
    /// What it keeps: identity, log, snapshots, locks, the admin socket.
    pub folder: PathBuf,
    /// Where clients connect.
    pub smb_listen: Vec<SocketAddr>,
    /// Where the other nodes connect.
    pub peer_listen: SocketAddr,
    /// Every node of the cluster at its founding, this one included.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// The folder of this node's certificate and of the authorities that it trusts. None: the nodes
    /// talk in plain text, and over loopback alone.
    pub certificates: Option<PathBuf>,
    /// Where the volumes of the shared storage lie on this host.
    pub volumes: BTreeMap<VolumeId, PathBuf>,
    /// How fast the node notices and gives up.
    pub timers: Timers,
    /// How it makes sure that other nodes can do no more.
    pub fence: FenceSettings,
}

impl NodeConfig {
    /// Reads and checks a settings file. Relative paths in it start at its own folder.
    pub fn load(file: &Path) -> Result<NodeConfig, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { file: file.to_owned(), error };
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        // Other processes are told some of the paths, and stand elsewhere.
        let base = std::path::absolute(file).map_err(unreadable)?;
        Self::parse_at(file, &text, base.parent().unwrap_or(Path::new("/")))
    }

    /// Checks the text of a settings file that lies, or would lie, at `file`.
    pub fn parse(file: &Path, text: &str) -> Result<NodeConfig, ConfigError> {
        Self::parse_at(file, text, file.parent().unwrap_or(Path::new("")))
    }

    /// `file` is what problems are reported about, `base` where relative paths start.
    fn parse_at(file: &Path, text: &str, base: &Path) -> Result<NodeConfig, ConfigError> {
        let document = Document::parse(text).map_err(|problem| ConfigError::Wrong {
            file: file.to_owned(),
            problems: vec![problem],
        })?;
        let config = read(&document.root(), base);
        match (config, document.into_problems()) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(ConfigError::Wrong { file: file.to_owned(), problems }),
        }
    }

    /// The file's text for this node, as [`NodeConfig::parse`] reads it.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "[node]\nid = {}\nname = {}\nfolder = {}\n\n[smb]\nlisten = [{}]\n\n[cluster]\nlisten = \"{}\"\n",
            self.id.0,
            quoted(&self.name),
            quoted(&self.folder.to_string_lossy()),
            self.smb_listen.iter().map(|a| format!("\"{a}\"")).collect::<Vec<_>>().join(", "),
            self.peer_listen,
        );
        if let Some(folder) = &self.certificates {
            text += &format!("certificates = {}\n", quoted(&folder.to_string_lossy()));
        }
        for (id, address) in &self.peers {
            text += &format!("\n[[cluster.peer]]\nid = {}\naddress = \"{address}\"\n", id.0);
        }
        for (id, path) in &self.volumes {
            text += &format!(
                "\n[[volume]]\nid = {}\npath = {}\n",
                id.0,
                quoted(&path.to_string_lossy())
            );
        }
        text + "\n" + &self.timers.to_toml() + &self.fence.to_toml()
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Reads the whole file; what is wrong is noted in the document.
fn read(root: &Section<'_>, base: &Path) -> Option<NodeConfig> {
    let node = root.section("node");
    let id = node.required("id", |v| v.number(1..=u64::from(u16::MAX))).map(NodeId);
    let name = node.optional("name", |v| v.text());
    let folder = node.required("folder", |v| v.path(base));
    node.finish();

    let smb = root.section("smb");
    let smb_listen = smb.optional("listen", |v| v.addresses()).or_else(|| {
        smb.absent("listen").then(|| DEFAULT_SMB_LISTEN.parse().ok().into_iter().collect())
    });
    smb.finish();

    let cluster = root.section("cluster");
    let peer_listen = cluster.required("listen", |v| v.address());
    let plain = cluster.absent("certificates");
    let certificates = cluster.optional("certificates", |v| v.path(base));
    let peers = read_peers(&cluster, plain);
    cluster.finish();

    let volumes = read_volumes(root, base);
    let timers = Timers::read(&root.section("timers"));
    let fence = FenceSettings::read(&root.section("fence"));
    root.finish();

    let id = id?;
    if !plain && certificates.is_none() {
        return None;
    }
    let config = NodeConfig {
        id,
        name: name.unwrap_or_else(|| format!("node{}", id.0)),
        folder: folder?,
        smb_listen: smb_listen?,
        peer_listen: peer_listen?,
        peers: peers?,
        certificates,
        volumes: volumes?,
        timers: timers?,
        fence: fence?,
    };
    check_membership(&config, &cluster);
    Some(config)
}

/// `plain`: there are no certificates.
fn read_peers(cluster: &Section<'_>, plain: bool) -> Option<BTreeMap<NodeId, SocketAddr>> {
    let mut peers = BTreeMap::new();
    let entries = cluster.sections("peer");
    if entries.is_empty() {
        cluster.wrong(
            "peer",
            "name every node of the cluster, this one included: \
             [[cluster.peer]] with id = 1 and address = \"127.0.0.1:14451\"",
        );
        return None;
    }
    for entry in &entries {
        let id = entry.required("id", |v| v.number(1..=u64::from(u16::MAX))).map(NodeId);
        let address = entry.required("address", |v| v.address());
        if let (Some(id), Some(address)) = (id, address) {
            if plain && !address.ip().is_loopback() {
                entry.wrong(
                    "address",
                    "without certificates nodes talk in plain text, and only over loopback: add \
                     certificates = \"/etc/holdfast/certificates\" to [cluster] (see «holdfast \
                     cluster certificates --help»), or write a loopback address such as \
                     127.0.0.1:14451",
                );
            }
            if peers.values().any(|other| *other == address) {
                entry
                    .wrong("address", &format!("{address} is used by two nodes; each has its own"));
            }
            if peers.insert(id, address).is_some() {
                entry.wrong("id", &format!("node {} is listed twice; each has its own id", id.0));
            }
        }
        entry.finish();
    }
    if entries.len() > NODES_MAX {
        cluster
            .wrong("peer", &format!("{} nodes; a cluster has at most {NODES_MAX}", entries.len()));
    }
    Some(peers)
}

fn read_volumes(root: &Section<'_>, base: &Path) -> Option<BTreeMap<VolumeId, PathBuf>> {
    let mut volumes = BTreeMap::new();
    let entries = root.sections("volume");
    if entries.is_empty() {
        root.wrong(
            "volume",
            "say where the shared storage lies on this host: [[volume]] with id = 1 and \
             path = \"/srv/holdfast\"",
        );
        return None;
    }
    for entry in &entries {
        let id = entry.required("id", |v| v.number(1..=u64::from(u32::MAX))).map(VolumeId);
        let path = entry.required("path", |v| v.path(base));
        if let (Some(id), Some(path)) = (id, path)
            && volumes.insert(id, path).is_some()
        {
            entry.wrong("id", &format!("volume {} is listed twice; each has its own id", id.0));
        }
        entry.finish();
    }
    Some(volumes)
}

/// The node must find itself among the peers, at the address where it listens.
fn check_membership(config: &NodeConfig, cluster: &Section<'_>) {
    match config.peers.get(&config.id) {
        None => cluster.wrong(
            "peer",
            &format!(
                "this node is number {0}, and no [[cluster.peer]] has id = {0}; every node is \
                 listed on every node, itself too",
                config.id.0
            ),
        ),
        Some(address) if *address != config.peer_listen => cluster.wrong(
            "listen",
            &format!(
                "this node listens on {}, but its own [[cluster.peer]] says {address}, where the \
                 others will look for it; make them equal",
                config.peer_listen
            ),
        ),
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const GOOD: &str = r#"
[node]
id = 1
folder = "node1"

[smb]
listen = ["127.0.0.1:4451"]

[cluster]
listen = "127.0.0.1:14451"

[[cluster.peer]]
id = 1
address = "127.0.0.1:14451"

[[cluster.peer]]
id = 2
address = "127.0.0.2:14451"

[[volume]]
id = 1
path = "/srv/volume"
"#;

    pub(super) fn problems(text: &str) -> Vec<String> {
        match NodeConfig::parse(Path::new("/etc/holdfast/node.toml"), text) {
            Ok(_) => Vec::new(),
            Err(ConfigError::Wrong { problems, .. }) => {
                problems.iter().map(|p| format!("{}: {}: {}", p.line, p.setting, p.what)).collect()
            }
            Err(error) => vec![error.to_string()],
        }
    }

    #[track_caller]
    pub(super) fn refused(text: &str, beginning: &str) {
        let found = problems(text);
        assert!(found.iter().any(|p| p.starts_with(beginning)), "no «{beginning}» in {found:#?}");
    }

    #[test]
    fn a_good_file_is_read_and_written_back() {
        let config = NodeConfig::parse(Path::new("/etc/holdfast/node.toml"), GOOD).unwrap();
        assert_eq!(config.id, NodeId(1));
        assert_eq!(config.name, "node1");
        assert_eq!(config.folder, Path::new("/etc/holdfast/node1"));
        assert_eq!(config.peers.len(), 2);
        assert_eq!(config.timers, Timers::default());
        let again = NodeConfig::parse(Path::new("/elsewhere/x.toml"), &config.to_toml()).unwrap();
        assert_eq!(again, config);
    }

    #[test]
    fn problems_name_line_setting_and_remedy() {
        refused(&GOOD.replace("id = 1\nfolder", "id = 0\nfolder"), "3: node.id: ");
        refused(
            &GOOD.replace("folder", "foldr"),
            "4: node.foldr: there is no such setting; did you mean «folder»?",
        );
        refused(
            &GOOD.replace("listen = [\"127.0.0.1:4451\"]", "listen = [\"here\"]"),
            "7: smb.listen: ",
        );
        refused(
            &GOOD.replace("127.0.0.2:14451", "10.0.0.2:14451"),
            "18: cluster.peer.address: without certificates",
        );
        refused(
            &GOOD.replace("listen = \"127.0.0.1:14451\"", "listen = \"127.0.0.1:9\""),
            "10: cluster.listen: ",
        );
        refused(
            &GOOD.replace("[node]", "[nod]"),
            "2: nod: there is no such setting; did you mean «node»?",
        );
        refused("[node", "1: ");
        refused("", "1: node.id: ");
        refused(
            &format!("{GOOD}\n[timers]\nelection_max_ms = 900\n"),
            "25: timers.election_max_ms: ",
        );
        refused(&format!("{GOOD}\n[timers]\nheartbeat_ms = 200\n"), "25: timers.heartbeat_ms: ");
    }

    #[test]
    fn nodes_with_certificates_may_be_on_other_hosts() {
        let text = GOOD
            .replace("127.0.0.2:14451", "10.0.0.2:14451")
            .replace("[cluster]\n", "[cluster]\ncertificates = \"tls\"\n");
        let config = NodeConfig::parse(Path::new("/etc/holdfast/node.toml"), &text).unwrap();
        assert_eq!(config.certificates.as_deref(), Some(Path::new("/etc/holdfast/tls")));
        let again = NodeConfig::parse(Path::new("/elsewhere/x.toml"), &config.to_toml()).unwrap();
        assert_eq!(again, config);
        refused(&text.replace("\"tls\"", "\"\""), "10: cluster.certificates: ");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let text =
            GOOD.replace("id = 1\nfolder", "id = \"one\"\nfolder").replace("/srv/volume", "");
        assert_eq!(problems(&text).len(), 2, "{:#?}", problems(&text));
    }
}
