//! A cluster in a scratch folder: started, asked, hurt, and ended.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::boot::Boot;
use super::dev::{Dev, START_LIMIT};
use super::keeper::{Keeper, Kept};
use super::process::Process;
use super::status::Status;
use crate::client::Account;
use crate::layer::Storage;
use crate::network::Network;
use crate::random::Random;

const POLL: Duration = Duration::from_millis(10);
/// Clients' ports: below what Linux gives to outgoing connections, and so that the nodes' own port,
/// 10,000 above, is as well.
const PORTS: std::ops::Range<u64> = 10_100..22_000;

/// What a cluster is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    pub program: PathBuf,
    pub nodes: u64,
    /// The password is chosen by the settings, so that it can be logged on with.
    pub account: Account,
}

/// What stands around its nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing: `holdfast dev` as it is.
    Plain,
    /// A recording layer under the share, and a fence command that cuts nodes off there.
    Recorded,
    /// A network of their own, whose ways can be cut.
    Networked,
}

/// A running cluster. Dropped, it is killed; its folder goes unless it is kept.
pub struct Cluster {
    settings: Settings,
    root: PathBuf,
    port: u16,
    run: Mutex<Run>,
    storage: Option<Arc<Storage>>,
    network: Option<Network>,
    keep: bool,
}

/// Who keeps the nodes running.
enum Run {
    Nobody,
    Dev(Dev),
    Keeper(Keeper),
}

impl Cluster {
    /// Starts a cluster and waits until every node serves.
    pub async fn start(settings: Settings, kind: Kind) -> Result<Cluster, String> {
        let (root, number) = scratch_folder().map_err(|error| format!("no folder: {error}"))?;
        let port = free_port(settings.nodes, number)?;
        let mut cluster = Cluster {
            settings,
            root,
            port,
            run: Mutex::new(Run::Nobody),
            storage: None,
            network: None,
            keep: false,
        };
        match cluster.start_as(kind).await {
            Ok(()) => Ok(cluster),
            Err(why) => {
                // What nodes said is of use then.
                cluster.keep = true;
                Err(format!("{why}; what there is of it is kept in {}", cluster.root.display()))
            }
        }
    }

    async fn start_as(&mut self, kind: Kind) -> Result<(), String> {
        let mut words = self.dev_words();
        let account = &self.settings.account;
        words.extend(["--user", &account.user, "--password", &account.password].map(str::to_owned));
        if kind == Kind::Recorded {
            words.push("--fence-command".to_owned());
            words.extend(self.fence_command()?);
        }
        let mut dev = Dev::start(&words, &self.root)?;
        dev.until_ready().await?;
        if kind == Kind::Plain {
            *self.run.lock() = Run::Dev(dev);
            return Ok(());
        }
        // It is founded; from here on the nodes are kept one by one.
        dev.stop().await?;
        if kind == Kind::Recorded {
            self.storage = Some(Arc::new(Storage::new(&self.volume(), &self.root)?));
        } else {
            self.network = Some(Network::new(self.settings.nodes)?);
        }
        let kept: Vec<Kept> = self.nodes().map(|node| self.kept(node)).collect::<Result<_, _>>()?;
        *self.run.lock() = Run::Keeper(Keeper::start(kept)?);
        self.whole(START_LIMIT).await
    }

    fn dev_words(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut words = vec![path(&self.settings.program), "dev".to_owned(), "--dir".to_owned()];
        words.push(path(&self.root.join("cluster")));
        words.extend(["--nodes".to_owned(), self.settings.nodes.to_string()]);
        words.extend(["--smb-port".to_owned(), self.port.to_string()]);
        words.extend(["--share".to_owned(), self.settings.account.share.clone()]);
        words.extend(["--ready-file".to_owned(), path(&self.root.join("ready"))]);
        words
    }

    /// This program, as the fence command that it can be as well.
    fn fence_command(&self) -> Result<Vec<String>, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let words = [own, "cut-off".into(), Storage::socket(&self.root)];
        Ok(words.iter().map(|word| word.display().to_string()).collect())
    }

    /// A node in its surroundings: its settings name them instead of the plain ones.
    fn kept(&self, node: u64) -> Result<Kept, String> {
        let folder = self.node_folder(node);
        let config = folder.join("node.toml");
        let at = |error: io::Error| format!("{}: {error}", config.display());
        let mut text = fs::read_to_string(&config).map_err(at)?;
        let mut replace = |old: String, new: String| match text.matches(&old).count() {
            1 => {
                text = text.replace(&old, &new);
                Ok(())
            }
            count => Err(format!("{}: {old} stands there {count} times", config.display())),
        };
        let mut words = Vec::new();
        if let Some(storage) = &self.storage {
            let quoted = |path: &Path| format!("\"{}\"", path.display());
            replace(quoted(&self.volume()), quoted(&storage.point(node)))?;
        }
        if let Some(network) = &self.network {
            let quoted = |address: SocketAddr| format!("\"{address}\"");
            let inside = quoted(network.address(node, self.port));
            replace(quoted(loopback(node, self.port)), inside)?;
            words = network.inside(node);
        }
        fs::write(&config, text).map_err(at)?;
        words.push(self.settings.program.display().to_string());
        words.extend(["serve".to_owned(), "--config".to_owned(), config.display().to_string()]);
        Ok(Kept { node, words, log: folder.join("log"), storage: self.storage.clone() })
    }

    /// The recording layer, if there is one.
    pub fn storage(&self) -> Result<&Storage, String> {
        self.storage.as_deref().ok_or_else(|| "a cluster without a recording layer".to_owned())
    }

    /// The nodes' own network, if there is one.
    pub fn network(&self) -> Result<&Network, String> {
        self.network.as_ref().ok_or_else(|| "a cluster without a network of its own".to_owned())
    }

    /// Ends every process at once, as when the power fails. Returns when they have ended.
    pub async fn power_off(&self, limit: Duration) -> Result<(), String> {
        let run = std::mem::replace(&mut *self.run.lock(), Run::Nobody);
        let Run::Dev(dev) = run else { return Err("not a cluster of «holdfast dev»".to_owned()) };
        let mut processes = vec![dev.process()?];
        for node in self.nodes() {
            processes.push(self.process(node)?);
        }
        for process in &processes {
            let killed = process.send(Signal::KILL);
            killed.map_err(|error| format!("process {}: {error}", process.pid))?;
        }
        for process in &processes {
            process.ended(limit).await?;
        }
        Ok(())
    }

    /// Starts every node again, in another boot. Does not wait for them.
    pub fn power_on(&self, boot: &Boot) -> Result<(), String> {
        let words: Vec<String> = boot.words().into_iter().chain(self.dev_words()).collect();
        *self.run.lock() = Run::Dev(Dev::start(&words, &self.root)?);
        Ok(())
    }

    /// Every node's number.
    pub fn nodes(&self) -> std::ops::RangeInclusive<u64> {
        1..=self.settings.nodes
    }

    /// Where clients find a node.
    pub fn address(&self, node: u64) -> SocketAddr {
        match &self.network {
            Some(network) => network.address(node, self.port),
            None => loopback(node, self.port),
        }
    }

    /// Everything that belongs to this cluster; kept if asked for.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Where the files of the share lie.
    pub fn volume(&self) -> PathBuf {
        self.root.join("cluster/volume")
    }

    /// The folder stays when the cluster is gone.
    pub fn keep_folder(&mut self) {
        self.keep = true;
    }

    fn node_folder(&self, node: u64) -> PathBuf {
        self.root.join("cluster").join(format!("node{node}"))
    }

    /// The process that is a node now.
    pub fn process(&self, node: u64) -> Result<Process, String> {
        let file = self.node_folder(node).join("pid");
        let pid = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()));
        let pid = pid?;
        let pid = pid.trim().parse().map_err(|_| format!("{}: no number", file.display()))?;
        Process::open(pid).map_err(|error| format!("node {node}, process {pid}: {error}"))
    }

    /// The cluster as one node sees it; none if it does not answer.
    pub async fn status(&self, node: u64) -> Option<Status> {
        let mut command = Command::new(&self.settings.program);
        command.args(["status", "--json", "--node-dir"]).arg(self.node_folder(node));
        command.stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.ok()?.ok()?;
        output.status.success().then(|| Status::read(&String::from_utf8_lossy(&output.stdout)))?
    }

    /// The node that leads now.
    pub async fn leader(&self, limit: Duration) -> Result<u64, String> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            for node in self.nodes() {
                if let Some(leader) = self.status(node).await.and_then(|status| status.leader) {
                    return Ok(leader);
                }
            }
            sleep(POLL).await;
        }
        Err("no node knows a leader".to_owned())
    }

    /// True if a node takes clients.
    pub async fn listens(&self, node: u64) -> bool {
        let connecting = TcpStream::connect(self.address(node));
        matches!(timeout(Duration::from_millis(300), connecting).await, Ok(Ok(_)))
    }

    /// Waits until so many nodes take clients.
    pub async fn listening(&self, wanted: usize, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            let mut listening = 0;
            for node in self.nodes() {
                listening += usize::from(self.listens(node).await);
            }
            if listening >= wanted {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("only {listening} of {wanted} nodes serve"));
            }
            sleep(POLL).await;
        }
    }

    /// Waits until every node is there and takes clients.
    pub async fn whole(&self, limit: Duration) -> Result<(), String> {
        self.listening(self.settings.nodes as usize, limit).await
    }

    /// Ends it in order.
    pub async fn stop(self) -> Result<(), String> {
        let run = std::mem::replace(&mut *self.run.lock(), Run::Nobody);
        match run {
            Run::Nobody => Ok(()),
            Run::Dev(dev) => dev.stop().await,
            Run::Keeper(keeper) => keeper.stop(),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nodes first: they use what the others are.
        *self.run.get_mut() = Run::Nobody;
        if let Some(storage) = self.storage.take() {
            storage.end();
        }
        self.network = None;
        if !self.keep
            && let Err(error) = fs::remove_dir_all(&self.root)
        {
            eprintln!("{}: {error}", self.root.display());
        }
    }
}

/// Node 1 is 127.0.0.1, node 2 is 127.0.0.2.
fn loopback(node: u64, port: u16) -> SocketAddr {
    let last = u8::try_from(node).unwrap_or(u8::MAX);
    SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port))
}

/// A folder of its own, and the number that it got.
fn scratch_folder() -> io::Result<(PathBuf, u64)> {
    let mut number = u64::from(std::process::id()) << 16;
    // Settings files name it as the system does.
    let folder = std::env::temp_dir().canonicalize()?;
    loop {
        let path = folder.join(format!("holdfast-failover-{number:x}"));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
            Ok(()) => return Ok((path, number)),
        }
    }
}

/// A port that is free on every node's address now.
fn free_port(nodes: u64, seed: u64) -> Result<u16, String> {
    let mut random = Random::of(&[seed]);
    for _ in 0..200 {
        let port = (PORTS.start + random.below(PORTS.end - PORTS.start)) as u16;
        if (1..=nodes).all(|node| TcpListener::bind(loopback(node, port)).is_ok()) {
            return Ok(port);
        }
    }
    Err("no port is free on every node's address".to_owned())
}
