//! `holdfast user`: who may log on.

use clap::Subcommand;

use super::whereabouts::{Whereabouts, done};
use super::{CommandResult, block_on, password};
use crate::admin::{check_user_name, pb};

/// What may be done with users.
#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a user; asks for the password, or reads it as one line from standard input
    Add {
        /// The user's name
        name: String,
        #[command(flatten)]
        node: Whereabouts,
    },
    /// Change a user's password; asks for it, or reads one line from standard input
    Passwd {
        /// The user's name
        name: String,
        #[command(flatten)]
        node: Whereabouts,
    },
    /// List the users
    List {
        #[command(flatten)]
        node: Whereabouts,
    },
    /// Remove a user; sessions that are open go on until they end
    Remove {
        /// The user's name
        name: String,
        #[command(flatten)]
        node: Whereabouts,
    },
}

pub fn run(command: UserCommand) -> CommandResult {
    block_on(async {
        match command {
            UserCommand::Add { name, node } => {
                put(pb::Put::Add, &name, &node).await?;
                done(format_args!("User «{name}» is added."))
            }
            UserCommand::Passwd { name, node } => {
                put(pb::Put::Change, &name, &node).await?;
                done(format_args!("The password of «{name}» is changed."))
            }
            UserCommand::List { node } => list(&node).await,
            UserCommand::Remove { name, node } => {
                node.connect().await?.remove_user(&name).await?;
                done(format_args!("User «{name}» is removed."))
            }
        }
    })
}

async fn put(put: pb::Put, name: &str, node: &Whereabouts) -> CommandResult {
    check_user_name(name)?;
    let mut client = node.connect().await?;
    let password = password::read_new(name)?;
    Ok(client.put_user(put, name, &password).await?)
}

async fn list(node: &Whereabouts) -> CommandResult {
    for user in node.connect().await?.users().await? {
        println!("{}{}", user.name, if user.disabled { "  (disabled)" } else { "" });
    }
    Ok(())
}
