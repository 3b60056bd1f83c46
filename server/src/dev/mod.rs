//! `holdfast dev`: a whole cluster on one machine, to try things out and to test against.
//!
//! Each node is a process of its own, the same program run as `serve`: what happens to it is what
//! happens in earnest. This module only begins the folders, starts the processes, starts them
//! again when they end, and ends them all with itself.

mod layout;
mod ports;
mod readiness;
mod screen;
mod supervisor;
mod takeover;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use holdfast_cluster::ports::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::cli::CommandResult;
use crate::clock::HostClock;
use crate::config::{FenceCommand, FenceSettings, FenceUse, NODES_MAX};
use crate::folder::write_whole;
use layout::{Access, Layout};
use supervisor::{Event, Supervisor};

/// What `holdfast dev --help` says first.
pub const LONG_ABOUT: &str = "Start a whole cluster on this machine, to try things out.\n\n\
    Three nodes, each a process of its own, serve one share over one folder. Node 1 listens on \
    127.0.0.1, node 2 on 127.0.0.2, and so on, all on one port. Kill one, freeze one, and watch \
    what was open through it go on through another. A node that ends is started again.\n\n\
    With --tls the nodes talk to each other as those of different hosts do; the cluster's authority \
    is then DIR/authority, and node 1's certificates are DIR/certificates/node1.\n\n\
    Ctrl-C ends all nodes. Without --dir everything is then gone; with it, the same cluster is \
    there the next time.";

/// True if `folder` is a dev cluster's: nobody's promises depend on it.
pub fn is_dev_folder(folder: &Path) -> bool {
    folder.join(layout::REMEMBERED).is_file()
}

/// What may be chosen.
#[derive(Args)]
pub struct DevArguments {
    /// How many nodes; 3 unless the folder already holds a cluster
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=NODES_MAX as i64))]
    nodes: Option<u8>,
    /// Keep everything in this folder; a cluster that is there already goes on
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The port on which clients connect, on every node
    #[arg(long, value_name = "PORT", default_value_t = 4451, value_parser = clap::value_parser!(u16).range(1..))]
    smb_port: u16,
    /// The user to log on as
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The user's password; made up if left out
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// The share, continuously available
    #[arg(long, value_name = "NAME", default_value = "demo")]
    share: String,
    /// Write this file when every node serves
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Do not start nodes again that end
    #[arg(long)]
    no_respawn: bool,
    /// Have the nodes talk TLS to each other, with certificates made for this cluster
    #[arg(long)]
    tls: bool,
    /// Fence nodes by this program and its arguments instead of SIGKILL (see «holdfast config check
    /// --help»)
    #[arg(long, value_name = "WORD", num_args = 1..)]
    fence_command: Vec<String>,
    /// How long the fence command may take
    #[arg(long, value_name = "SECONDS", requires = "fence_command", value_parser = clap::value_parser!(u64).range(1..=600))]
    fence_timeout: Option<u64>,
}

impl DevArguments {
    /// The nodes' `[fence]`. They share this host, so a command is only ever used instead.
    fn fence(&self) -> Result<FenceSettings, String> {
        if self.fence_command.is_empty() {
            return Ok(FenceSettings::default());
        }
        let mut command = FenceCommand::of_words(self.fence_command.clone())
            .map_err(|error| format!("--fence-command: {error}"))?;
        if let Some(seconds) = self.fence_timeout {
            command.timeout = Duration::from_secs(seconds);
        }
        Ok(FenceSettings { command: Some(command), used: FenceUse::Command })
    }
}

/// How long the nodes may take to end in order.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(4);

/// As many starts may fail by themselves before anything served: what is wrong then does not mend.
const FAILED_STARTS_MAX: u32 = 6;

pub fn run(arguments: DevArguments) -> CommandResult {
    // One thread: the children's death signal is tied to the thread that starts them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(cluster(arguments))
}

async fn cluster(arguments: DevArguments) -> CommandResult {
    let access = Access::chosen(&arguments)?;
    let fence = arguments.fence()?;
    let begun = HostClock.boot();
    if let Some(file) = &arguments.ready_file {
        remove_stale(file)?;
    }
    let (dir, tls) = (arguments.dir.as_deref(), arguments.tls);
    let layout = Layout::open(dir, arguments.nodes, arguments.smb_port, tls, fence).await?;
    let mut stop_signals = StopSignals::listen()?;
    let (stop_tx, stop) = watch::channel(false);
    let (events_tx, events) = mpsc::unbounded_channel();
    let supervisor = Supervisor::start(&layout, !arguments.no_respawn, &events_tx, &stop);
    drop(events_tx);

    let done = {
        let life = whole_life(&layout, access, &arguments, begun, events);
        tokio::pin!(life);
        tokio::select! {
            biased;
            () = stop_signals.received() => Ok(()),
            done = &mut life => done,
        }
    };
    println!("Ending all nodes ...");
    // Nobody may be listening any more; the nodes then end by themselves.
    let _ = stop_tx.send(true);
    supervisor.ended(SHUTDOWN_WAIT).await;
    done
}

/// From the first start to the end of all nodes.
async fn whole_life(
    layout: &Layout,
    access: Access,
    arguments: &DevArguments,
    begun: Duration,
    mut events: mpsc::UnboundedReceiver<Event>,
) -> CommandResult {
    let getting_ready = async {
        let access = readiness::set_up(layout, &access).await?;
        let states = readiness::every_node_serves(layout, &access).await;
        let took = HostClock.boot() - begun;
        print!("{}", screen::welcome(layout, &access, &states, took));
        if let Some(file) = &arguments.ready_file {
            write_whole(file, screen::ready_note(layout, &states).as_bytes(), 0o644)
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    tokio::pin!(getting_ready);
    let mut ready = false;
    let mut failed_starts = 0;
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => {
                    failed_starts += u32::from(!ready && event.is_refusal());
                    tell(layout, event, ready);
                    if failed_starts >= FAILED_STARTS_MAX {
                        return Err("the nodes do not start".into());
                    }
                }
                None => return Err("every node has ended".into()),
            },
            done = &mut getting_ready, if !ready => {
                done?;
                ready = true;
            }
        }
    }
}

/// A line on the screen, and the watch for what follows.
fn tell(layout: &Layout, event: Event, ready: bool) {
    println!("{}", screen::event(layout, &event));
    if let (Event::Ended { node, pid, .. }, true) = (event, ready) {
        tokio::spawn(takeover::tell(layout.folders(), node, pid));
    }
}

fn remove_stale(file: &PathBuf) -> Result<(), String> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", file.display()))
        }
        _ => Ok(()),
    }
}

/// What ends `dev`.
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> io::Result<StopSignals> {
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
