//! `holdfast config`: what a settings file means, before a node depends on it.

use std::path::PathBuf;

use clap::Subcommand;

use super::CommandResult;
use super::whereabouts::done;
use crate::config::NodeConfig;

/// What may be done with settings files.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Check a settings file; says line, setting and remedy of everything that is wrong
    #[command(after_help = EXAMPLE)]
    Check {
        /// The settings file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

const EXAMPLE: &str = r#"A settings file:
  [node]
  id = 1                           # 1 and up; every node has its own
  folder = "/var/lib/holdfast"     # what the node keeps: log, snapshots, locks

  [smb]
  listen = ["192.0.2.1:445"]       # where clients connect; 0.0.0.0:445 if left out

  [cluster]
  listen = "127.0.0.1:14451"       # where the other nodes connect

  [[cluster.peer]]                 # every node of the cluster, this one too
  id = 1
  address = "127.0.0.1:14451"

  [[volume]]                       # where the shared storage lies on this host
  id = 1
  path = "/srv/holdfast"

Shares and users belong to the cluster: see «holdfast share» and «holdfast user»."#;

pub fn run(command: ConfigCommand) -> CommandResult {
    let ConfigCommand::Check { file } = command;
    let config = NodeConfig::load(&file)?;
    done(format_args!(
        "{}: node {} of {}, for clients on {}: good",
        file.display(),
        config.id.0,
        config.peers.len(),
        config.smb_listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    ))
}
