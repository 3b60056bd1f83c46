//! Starts the nodes, starts them again, and ends them.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use holdfast_cluster::ports::Clock;
use holdfast_proto::types::NodeId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::layout::Layout;
use crate::clock::HostClock;
use crate::fence::{Process, Signal};

/// How long to wait before a node that ended is started again...
const BACK_OFF_MIN: Duration = Duration::from_millis(200);
/// ... growing to this while it keeps ending at once.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// A node that lived this long did not fail at once.
const LONG_LIFE: Duration = Duration::from_secs(2);
/// How long a node may take to end in order.
const TERMINATE_WAIT: Duration = Duration::from_secs(3);

/// What happened to a node.
#[derive(Clone, Debug)]
pub enum Event {
    /// It ended without being asked to, and is started again after a while, or not at all.
    Ended { node: NodeId, pid: u32, how: ExitStatus, again_in: Option<Duration> },
    /// It could not be started.
    NotStarted { node: NodeId, why: String },
}

impl Event {
    /// The node itself said that it cannot run.
    pub fn is_refusal(&self) -> bool {
        match self {
            Event::Ended { how, .. } => how.code().is_some_and(|code| code != 0),
            Event::NotStarted { .. } => true,
        }
    }
}

/// All nodes of a dev cluster.
pub struct Supervisor {
    keepers: JoinSet<()>,
}

impl Supervisor {
    /// Starts every node. Each ends when `stop` becomes true, or when this process is gone.
    pub fn start(
        layout: &Layout,
        respawn: bool,
        events: &mpsc::UnboundedSender<Event>,
        stop: &watch::Receiver<bool>,
    ) -> Supervisor {
        let mut keepers = JoinSet::new();
        for node in layout.nodes() {
            let keeper = Keeper {
                node,
                settings: layout.settings(node),
                log: layout.log(node),
                respawn,
                events: events.clone(),
                stop: stop.clone(),
            };
            keepers.spawn(keeper.keep());
        }
        Supervisor { keepers }
    }

    /// Returns when every node has ended.
    pub async fn ended(mut self, within: Duration) {
        let all = async { while self.keepers.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            eprintln!("holdfast: a node does not end; it will be killed with this process");
        }
    }
}

/// Keeps one node running.
struct Keeper {
    node: NodeId,
    settings: PathBuf,
    log: PathBuf,
    respawn: bool,
    events: mpsc::UnboundedSender<Event>,
    stop: watch::Receiver<bool>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut back_off = BACK_OFF_MIN;
        while !*self.stop.borrow() {
            let started = HostClock.boot();
            let event = match self.one_life().await {
                Ok(None) => return,
                Ok(Some((pid, how))) => {
                    if HostClock.boot() - started >= LONG_LIFE {
                        back_off = BACK_OFF_MIN;
                    }
                    let again_in = self.respawn.then_some(back_off);
                    Event::Ended { node: self.node, pid, how, again_in }
                }
                Err(error) => Event::NotStarted { node: self.node, why: error.to_string() },
            };
            if self.events.send(event).is_err() || !self.respawn {
                return;
            }
            let waited = timeout(back_off, asked_to_stop(&mut self.stop)).await;
            if waited.is_ok() {
                return;
            }
            back_off = (back_off * 2).min(BACK_OFF_MAX);
        }
    }

    /// None: it was asked to end.
    async fn one_life(&mut self) -> io::Result<Option<(u32, ExitStatus)>> {
        let mut child = self.spawn()?;
        let pid = child.id();
        let process = Process::of_child(pid)?;
        tokio::select! {
            biased;
            () = asked_to_stop(&mut self.stop) => {
                end(&process).await?;
                child.wait()?;
                Ok(None)
            }
            gone = process.exited() => {
                gone?;
                Ok(Some((pid, child.wait()?)))
            }
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.log)?;
        // The running program itself, even if a newer one lies in its place by now.
        Command::new("/proc/self/exe")
            .arg0("holdfast")
            .arg("serve")
            .arg("--config")
            .arg(&self.settings)
            .arg("--parent")
            .arg(std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for this process alone to hear.
            .process_group(0)
            .spawn()
    }
}

/// A channel that closed means that the end has come as well.
async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// SIGTERM, and SIGKILL to whom that does not move.
async fn end(process: &Process) -> io::Result<()> {
    process.send(Signal::TERM)?;
    if let Ok(gone) = timeout(TERMINATE_WAIT, process.exited()).await {
        return gone;
    }
    process.kill()?;
    // A process that hangs in the kernel is left to its fate.
    let _ = timeout(Duration::from_secs(1), process.exited()).await;
    Ok(())
}
