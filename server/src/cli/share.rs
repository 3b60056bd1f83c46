//! `holdfast share`: what clients find.

use clap::{Args, Subcommand};

use super::whereabouts::{Whereabouts, done};
use super::{CommandResult, block_on};
use crate::admin::pb;

/// How long a persistent open waits for its client, where nobody says it.
pub const CA_TIMEOUT_MILLIS: u64 = 180_000;

/// What may be done with shares.
#[derive(Subcommand)]
pub enum ShareCommand {
    /// Add a share
    Add(AddArguments),
    /// List the shares
    List {
        #[command(flatten)]
        node: Whereabouts,
    },
    /// Remove a share; the files stay
    Remove {
        /// The share's name
        name: String,
        #[command(flatten)]
        node: Whereabouts,
    },
}

/// A new share.
#[derive(Args)]
pub struct AddArguments {
    /// The share's name
    name: String,
    /// The volume that it lies on, as the nodes' settings number it
    #[arg(long, default_value_t = 1, value_name = "ID")]
    volume: u64,
    /// The folder within the volume; its root if left out
    #[arg(long, default_value = "", hide_default_value = true)]
    path: String,
    /// What people are told about it
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: String,
    /// Do not offer persistent handles: what clients have open dies with the node that serves it,
    /// and writes need not be on disk before they are answered
    #[arg(long)]
    not_continuously_available: bool,
    /// Let nobody in who does not encrypt
    #[arg(long)]
    encrypt: bool,
    /// Let nobody change anything
    #[arg(long)]
    read_only: bool,
    /// How long, in seconds, a persistent handle waits for its client
    #[arg(long, default_value_t = CA_TIMEOUT_MILLIS / 1000, value_parser = clap::value_parser!(u64).range(1..=300))]
    ca_timeout: u64,
    #[command(flatten)]
    node: Whereabouts,
}

pub fn run(command: ShareCommand) -> CommandResult {
    block_on(async {
        match command {
            ShareCommand::Add(arguments) => add(arguments).await,
            ShareCommand::List { node } => list(&node).await,
            ShareCommand::Remove { name, node } => {
                node.connect().await?.remove_share(&name).await?;
                done(format_args!("Share «{name}» is removed."))
            }
        }
    })
}

async fn add(arguments: AddArguments) -> CommandResult {
    let share = pb::Share {
        name: arguments.name.clone(),
        comment: arguments.comment,
        volume: arguments.volume,
        path: arguments.path,
        continuously_available: !arguments.not_continuously_available,
        encrypt: arguments.encrypt,
        read_only: arguments.read_only,
        ca_timeout_millis: arguments.ca_timeout * 1000,
    };
    arguments.node.connect().await?.put_share(pb::Put::Add, share).await?;
    done(format_args!("Share «{}» is added.", arguments.name))
}

async fn list(node: &Whereabouts) -> CommandResult {
    for share in node.connect().await?.shares().await? {
        let mut traits = vec![format!("volume {}", share.volume)];
        if !share.path.is_empty() {
            traits.push(format!("path {}", share.path));
        }
        if share.continuously_available {
            traits.push(format!("continuously available ({} s)", share.ca_timeout_millis / 1000));
        }
        if share.encrypt {
            traits.push("encrypted".to_owned());
        }
        if share.read_only {
            traits.push("read-only".to_owned());
        }
        if !share.comment.is_empty() {
            traits.push(share.comment);
        }
        println!("{}  {}", share.name, traits.join(", "));
    }
    Ok(())
}
