//! The command line: one program serves a node and administers a cluster.

mod certificates;
mod cluster;
mod config;
mod doctor;
mod fencing;
mod json;
mod node;
mod password;
mod share;
mod status;
mod token;
mod user;
mod whereabouts;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{dev, serve};

/// What a command that failed says last. Printed once, by [`main`].
pub type CommandResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub use cluster::{DEFAULT_NAME, new_cluster_id};
pub use password::check as check_password;

#[derive(Parser)]
#[command(
    name = "holdfast",
    version,
    about = "A continuously available SMB file server",
    long_about = "A continuously available SMB file server.\n\n\
        Several nodes serve the same shares over the same storage. What a client was promised \
        about an open file survives the loss of any minority of the nodes, and goes on through \
        any of the others.",
    after_help = "To try it: «holdfast dev» starts three nodes on this machine and shows what to do \
        with them.\n\
        To run it: write a settings file for each node, «holdfast config check» it, begin the \
        cluster with «holdfast cluster init» on each, and start «holdfast serve» there.",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a whole cluster on this machine, to try things out
    #[command(long_about = dev::LONG_ABOUT)]
    Dev(dev::DevArguments),
    /// Run one node
    #[command(
        long_about = "Run one node.\n\nIts folder must have been begun by «holdfast cluster \
        init»: on an empty folder, or another node's, nothing starts. SIGTERM ends it in order: \
        what it served goes on elsewhere at once. A node that finds itself shut out of the \
        cluster ends itself with SIGABRT, so run it under a supervisor that starts it again \
        (systemd: Restart=always). The log goes to standard error; the environment variable \
        HOLDFAST_LOG says how much (info, debug, holdfast_server=trace)"
    )]
    Serve(serve::ServeArguments),
    /// Begin a cluster, and change its settings
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Look after settings files
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Add, change, list and remove the users of the cluster
    #[command(subcommand)]
    User(user::UserCommand),
    /// Add, list and remove the shares of the cluster
    #[command(subcommand)]
    Share(share::ShareCommand),
    /// Show, fence, drain and resume the nodes of the cluster
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Show the nodes, who leads, and what is open
    Status(status::StatusArguments),
    /// Judge clocks, disks, the network, and whether nodes see the storage alike
    #[command(long_about = doctor::LONG_ABOUT, after_help = doctor::AFTER_HELP)]
    Doctor(doctor::DoctorArguments),
}

/// Runs what the command line asks for. 0: done; 1: it failed; 2: it was not understood.
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Dev(arguments) => dev::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Cluster(command) => cluster::run(command),
        Command::Config(command) => config::run(command),
        Command::User(command) => user::run(command),
        Command::Share(command) => share::run(command),
        Command::Node(command) => node::run(command),
        Command::Status(arguments) => status::run(arguments),
        // Its status tells what it found.
        Command::Doctor(arguments) => return doctor::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("holdfast: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a short command that talks to a node.
fn block_on(command: impl Future<Output = CommandResult>) -> CommandResult {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn passwords_are_never_arguments_outside_dev() {
        for line in [
            &["holdfast", "user", "add", "jane", "--password", "x", "--node-dir", "d"][..],
            &["holdfast", "user", "add", "jane", "x", "--node-dir", "d"][..],
        ] {
            assert!(Arguments::try_parse_from(line).is_err(), "{line:?}");
        }
        assert!(Arguments::try_parse_from(["holdfast", "dev", "--password", "x"]).is_ok());
    }
}
