//! Starts a `holdfast dev` cluster in a scratch folder and ends it.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::process::Process;
use super::status::Status;
use crate::client::Account;
use crate::random::Random;

/// How long a cluster may take to be ready, on a machine that is busy with builds as well.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long it may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// Clients' ports: below what Linux gives to outgoing connections, and so that the nodes' own port,
/// 10,000 above, is as well.
const PORTS: std::ops::Range<u64> = 10_100..22_000;

/// What a cluster is to be like.
#[derive(Clone, Debug)]
pub struct DevSettings {
    pub program: PathBuf,
    pub nodes: u64,
    /// The password is chosen by the settings, so that it can be logged on with.
    pub account: Account,
}

/// A running cluster. Dropped, it is killed; its folder goes unless it is kept.
pub struct DevCluster {
    settings: DevSettings,
    root: PathBuf,
    port: u16,
    child: Child,
    keep: bool,
}

impl DevCluster {
    /// Starts a cluster and waits until every node serves.
    pub async fn start(settings: DevSettings) -> Result<DevCluster, String> {
        let (root, number) = scratch_folder().map_err(|error| format!("no folder: {error}"))?;
        let port = free_port(settings.nodes, number)?;
        let ready = root.join("ready");
        let screen = root.join("screen");
        let output = File::create(&screen).map_err(|error| error.to_string())?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let account = &settings.account;
        let child = Command::new(&settings.program)
            .arg("dev")
            .args(["--nodes", &settings.nodes.to_string()])
            .arg("--dir")
            .arg(root.join("cluster"))
            .args(["--smb-port", &port.to_string()])
            .args(["--user", &account.user, "--password", &account.password])
            .args(["--share", &account.share])
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C is for the runner to hear; it ends the cluster in order.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{}: {error}", settings.program.display()))?;
        let mut cluster = DevCluster { settings, root, port, child, keep: false };
        let deadline = Instant::now() + START_LIMIT;
        while !ready.exists() {
            let ended = cluster.child.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > deadline {
                cluster.keep = true;
                let screen = fs::read_to_string(&screen).unwrap_or_default();
                return Err(format!("«holdfast dev» did not become ready:\n{screen}"));
            }
            sleep(POLL).await;
        }
        Ok(cluster)
    }

    /// Every node's number.
    pub fn nodes(&self) -> std::ops::RangeInclusive<u64> {
        1..=self.settings.nodes
    }

    /// Where clients find a node.
    pub fn address(&self, node: u64) -> SocketAddr {
        address(node, self.port)
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
    pub async fn stop(mut self) -> Result<(), String> {
        let asked = Process::open(self.child.id()).and_then(|dev| dev.send(Signal::INT));
        asked.map_err(|error| format!("«holdfast dev»: {error}"))?;
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if self.child.try_wait().map_err(|error| error.to_string())?.is_some() {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err("«holdfast dev» does not end".to_owned())
    }
}

impl Drop for DevCluster {
    fn drop(&mut self) {
        // Its nodes end with it, by their parent-death signal.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let ended = self.child.kill().and_then(|()| self.child.wait());
            if let Err(error) = ended {
                eprintln!("«holdfast dev» cannot be ended: {error}");
            }
        }
        if !self.keep
            && let Err(error) = fs::remove_dir_all(&self.root)
        {
            eprintln!("{}: {error}", self.root.display());
        }
    }
}

/// Node 1 is 127.0.0.1, node 2 is 127.0.0.2.
fn address(node: u64, port: u16) -> SocketAddr {
    let last = u8::try_from(node).unwrap_or(u8::MAX);
    SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port))
}

/// A folder of its own, and the number that it got.
fn scratch_folder() -> io::Result<(PathBuf, u64)> {
    let mut number = u64::from(std::process::id()) << 16;
    loop {
        let path = std::env::temp_dir().join(format!("holdfast-failover-{number:x}"));
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
        if (1..=nodes).all(|node| TcpListener::bind(address(node, port)).is_ok()) {
            return Ok(port);
        }
    }
    Err("no port is free on every node's address".to_owned())
}
