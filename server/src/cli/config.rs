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
  certificates = "/etc/holdfast/certificates"    # needed beyond loopback; see «holdfast cluster
                                   # certificates --help»

  [[cluster.peer]]                 # every node of the cluster, this one too
  id = 1
  address = "127.0.0.1:14451"

  [[volume]]                       # where the shared storage lies on this host
  id = 1
  path = "/srv/holdfast"

  [fence]                          # may be left out: then only nodes of this host can be fenced
  command = ["/usr/local/sbin/cut-off", "now"]   # absolute, run without a shell
  timeout_seconds = 30             # then it is killed, with its process group; 1 to 600
  use = "process"                  # SIGKILL where the node's process is on this host, the command
                                   # for others; "command": the command for every node. Wanted
                                   # where storage may carry operations out after their process
                                   # is gone (FUSE, NFS)

A fence command cuts the node that its environment names off from the storage, or its machine from
power, and ends with status 0 once that is so: then what the node held is given to others. This is
believed: a command that ends with 0 although the node can still write costs data. Any other end,
or none in time, proves nothing; the opens wait, and it is run again. Several nodes may run it at
once, and again: it must be repeatable, and is killed once another's run has brought the proof.
How a cut-off machine gets its storage back is the site's to arrange, before «holdfast serve»
starts there again. Standard input is empty, the first 4 KiB of what it says are logged, and what
it leaves running in its process group is killed. Environment:
  HOLDFAST_CLUSTER_ID        HOLDFAST_NODE, HOLDFAST_NODE_NAME, HOLDFAST_INCARNATION
  HOLDFAST_SMB_ADDRESS, HOLDFAST_PEER_ADDRESS      where clients, and other nodes, reached it
  HOLDFAST_BOOT_ID           the boot id of its host (/proc/sys/kernel/random/boot_id there)
  HOLDFAST_PID, HOLDFAST_PROCESS_START             its process there; start in ticks since boot
  HOLDFAST_FENCED_BY         the node that runs the command
  HOLDFAST_ATTEMPT           1 for this node's first run against that incarnation
  HOLDFAST_TIMEOUT_SECONDS   the time that it has
  PATH                       a fixed one; nothing else

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
