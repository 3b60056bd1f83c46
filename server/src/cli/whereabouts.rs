//! Which node a command talks to.

use std::path::PathBuf;

use clap::Args;

use super::CommandResult;
use crate::admin::AdminClient;
use crate::config::NodeConfig;
use crate::folder::NodeFolder;

/// The node to ask: any node of the cluster that runs on this host.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Whereabouts {
    /// The folder of a running node on this host
    #[arg(long, value_name = "DIR")]
    node_dir: Option<PathBuf>,
    /// Its settings file, which names the folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Whereabouts {
    /// Connects to the node.
    pub async fn connect(&self) -> Result<AdminClient, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AdminClient::connect(&self.folder()?).await?)
    }

    fn folder(&self) -> Result<NodeFolder, Box<dyn std::error::Error + Send + Sync>> {
        match (&self.node_dir, &self.config) {
            (Some(folder), _) => Ok(NodeFolder::at(folder)),
            (None, Some(file)) => Ok(NodeFolder::at(NodeConfig::load(file)?.folder)),
            (None, None) => Err("name a node: --node-dir or --config".into()),
        }
    }
}

/// Says that something is done.
pub fn done(what: impl std::fmt::Display) -> CommandResult {
    println!("{what}");
    Ok(())
}
