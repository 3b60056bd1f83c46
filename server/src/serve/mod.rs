//! `holdfast serve`: one node, from its first look at the folder to its orderly end.
//!
//! The order matters. The folder's lock comes before anything is read; the lock of this life
//! before anybody hears of it; the watchdog before the storage is touched; the listeners last. At
//! the end it is the other way round.

mod assembly;
mod process;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use holdfast_cluster::command::NodeIdentity;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::CommandResult;
use crate::config::NodeConfig;
use crate::folder::{FolderLock, LifeLock, LifeStamp, NodeFolder};
use crate::random::HostRandom;

/// The version of the replicated state machine that this program knows.
const MACHINE_VERSION: u32 = 1;

/// What to serve.
#[derive(Args)]
pub struct ServeArguments {
    /// The node's settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// End when this process does
    #[arg(long, value_name = "PID", hide = true)]
    parent: Option<u32>,
}

pub fn run(arguments: ServeArguments) -> CommandResult {
    if cfg!(feature = "planted") {
        return Err("this program was built with bugs on purpose, for the simulation only".into());
    }
    if let Some(parent) = arguments.parent {
        process::end_with_parent(parent)?;
    }
    process::log_to_stderr();
    let config = NodeConfig::load(&arguments.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(config));
    // Storage calls that hang must not keep the process: the lock drops with it.
    runtime.shutdown_background();
    served
}

/// What this process holds as long as it lives.
struct Held {
    folder: NodeFolder,
    _folder_lock: FolderLock,
    life_lock: LifeLock,
    stamp: LifeStamp,
}

async fn serve(config: NodeConfig) -> CommandResult {
    let held = Arc::new(hold(&config)?);
    tracing::info!(
        node = config.id.0,
        folder = %config.folder.display(),
        pid = held.stamp.pid,
        "starting"
    );
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked_to_end = async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let ended = assembly::run(&config, &held, asked_to_end).await;
    match &ended {
        Ok(()) => tracing::info!("ended in order"),
        Err(error) => tracing::error!(%error, "ended"),
    }
    ended
}

/// Takes the folder and begins a life in it.
fn hold(config: &NodeConfig) -> Result<Held, Box<dyn std::error::Error + Send + Sync>> {
    let folder = NodeFolder::at(&config.folder);
    folder.must_have_begun()?;
    let folder_lock = FolderLock::take(&folder)?;
    folder.write_pid().map_err(|error| format!("{}: {error}", folder.pid().display()))?;
    let stamp = LifeStamp::of_this_process()?;
    let life_lock = LifeLock::begin(&folder, &stamp, &HostRandom)
        .map_err(|error| format!("{}: {error}", folder.lives().display()))?;
    Ok(Held { folder, _folder_lock: folder_lock, life_lock, stamp })
}

/// What the join tells the others about this life.
fn identity(config: &NodeConfig, held: &Held) -> NodeIdentity {
    let address = config.smb_listen.first().map(ToString::to_string).unwrap_or_default();
    NodeIdentity {
        name: config.name.clone(),
        smb_address: address,
        peer_address: config.peer_listen.to_string(),
        boot_id: held.stamp.boot_id.clone(),
        pid: held.stamp.pid,
        process_start: held.stamp.process_start,
        lock_path: held.life_lock.path().to_string_lossy().into_owned(),
        machine_version: MACHINE_VERSION,
        // The folder itself says.
        folder: None,
    }
}
