//! `holdfast cluster`: how a cluster begins.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use holdfast_cluster::ports::Random;
use holdfast_proto::types::Guid;

use super::certificates::{self, CertificatesCommand};
use super::whereabouts::{Whereabouts, done};
use super::{CommandResult, block_on, token};
use crate::certificates::{CertificateFolder, NODE_DAYS};
use crate::clock::HostClock;
use crate::config::NodeConfig;
use crate::folder::NodeFolder;
use crate::random::HostRandom;

/// What may be done with a cluster as a whole.
#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Make one node's folder, as part of a new cluster
    #[command(
        long_about = "Make one node's folder, as part of a new cluster.\n\n\
            This is the only way in which a cluster begins. Run it once for each node, with that \
            node's settings file: without --cluster-id for the first, which prints the id of the \
            new cluster, and with that id for all others. Then start every node with «holdfast \
            serve». The folder must be empty, or not be there.\n\n\
            Where the settings name certificates, --authority says by which authority this node's \
            is made; the first such command makes the authority itself, and it knows the cluster's \
            id from then on. See «holdfast cluster certificates --help».",
        after_help = "Example, for three nodes:\n  \
            holdfast cluster init --config node1.toml\n  \
            holdfast cluster init --config node2.toml --cluster-id ID\n  \
            holdfast cluster init --config node3.toml --cluster-id ID\n\
            With certificates, for each of them:\n  \
            holdfast cluster init --config node1.toml --authority AUTHORITY"
    )]
    Init {
        /// The node's settings file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The cluster's id, as the first node's init printed it
        #[arg(long, value_name = "ID", value_parser = parse_id)]
        cluster_id: Option<Guid>,
        /// What clients know the cluster by, such as FILES or files.example.org; the same on every
        /// node
        #[arg(long, default_value = DEFAULT_NAME, value_parser = parse_name)]
        name: String,
        /// The folder of the cluster's authority, where the settings name certificates
        #[arg(long, value_name = "DIR")]
        authority: Option<PathBuf>,
        /// Fetch the node's certificate by a token, which is asked for or read from standard input
        #[arg(long, conflicts_with_all = ["authority", "cluster_id"])]
        token: bool,
    },
    /// Make and replace the certificates by which nodes know each other
    #[command(subcommand, long_about = certificates::LONG_ABOUT, after_help = certificates::EXAMPLES)]
    Certificates(CertificatesCommand),
    /// Change a setting of the whole cluster
    #[command(long_about = "Change a setting of the whole cluster.\n\n\
            A change holds on every node at once, for sessions that begin after it; those that \
            are open go on as they are.")]
    Set {
        /// Demand encryption of every session («required»), or of those alone that use a share
        /// added with --encrypt («per-share»)
        #[arg(long, value_enum)]
        encryption: EncryptionRule,
        #[command(flatten)]
        node: Whereabouts,
    },
}

/// Who must encrypt.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncryptionRule {
    Required,
    PerShare,
}

/// The cluster's name, where nobody says another.
pub const DEFAULT_NAME: &str = "HOLDFAST";

pub fn run(command: ClusterCommand) -> CommandResult {
    match command {
        ClusterCommand::Init { config, cluster_id, name, authority, token } => {
            block_on(init(config, cluster_id, name, authority, token))
        }
        ClusterCommand::Certificates(command) => certificates::run(command),
        ClusterCommand::Set { encryption, node } => block_on(async {
            let required = encryption == EncryptionRule::Required;
            node.connect().await?.set_encryption(required).await?;
            done(format_args!(
                "New sessions must {}.",
                if required { "be encrypted" } else { "encrypt where their shares ask for it" }
            ))
        }),
    }
}

async fn init(
    file: PathBuf,
    cluster_id: Option<Guid>,
    name: String,
    authority: Option<PathBuf>,
    by_token: bool,
) -> CommandResult {
    let config = NodeConfig::load(&file)?;
    let cluster_id = match by_token {
        true => Some(token::fetch(&config).await?),
        false => cluster_id,
    };
    let issuer = certificates::for_init(&config, authority.as_deref(), cluster_id)?;
    let known = cluster_id.or(issuer.as_ref().map(|issuer| issuer.cluster_id()));
    let id = known.unwrap_or_else(|| new_cluster_id(&HostRandom));
    NodeFolder::at(&config.folder).begin(&config, id, &name).await?;
    println!("Node {} of cluster {id}: {}", config.id.0, config.folder.display());
    if let (Some(issuer), Some(folder)) = (&issuer, &config.certificates) {
        issuer.issue(config.id, &CertificateFolder::at(folder), NODE_DAYS, &HostClock)?;
        println!("Its certificate: {}", folder.display());
    }
    let others: Vec<String> = config
        .peers
        .keys()
        .filter(|node| **node != config.id)
        .map(|node| node.0.to_string())
        .collect();
    if cluster_id.is_none() && !others.is_empty() {
        println!("For each other node ({}), with its own settings file:", others.join(", "));
        match authority {
            None => println!("  holdfast cluster init --config FILE --cluster-id {id}"),
            Some(folder) => {
                println!("  holdfast cluster init --config FILE --authority {}", folder.display());
            }
        }
    }
    println!("Then: holdfast serve --config {}", file.display());
    Ok(())
}

/// A random GUID, marked as one ([MS-DTYP] 2.3.4; RFC 4122 4.4).
pub fn new_cluster_id(random: &dyn Random) -> Guid {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes[7] = bytes[7] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Guid(bytes)
}

pub(super) fn parse_id(text: &str) -> Result<Guid, String> {
    text.parse().map_err(|_| {
        "not a cluster's id; it looks like 01234567-89ab-4cde-8f01-23456789abcd".to_owned()
    })
}

/// Up to the first dot it is the NetBIOS name; all of it is the DNS name.
fn parse_name(text: &str) -> Result<String, String> {
    let label_fits = |label: &str, longest: usize| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.len() <= longest && label.chars().all(letter)
    };
    let mut labels = text.split('.');
    let netbios_fits = labels.next().is_some_and(|label| label_fits(label, 15));
    if netbios_fits && labels.all(|label| label_fits(label, 63)) && text.len() <= 255 {
        return Ok(text.to_owned());
    }
    Err("a name has letters, digits and hyphens, and dots between its parts, of which the first \
         has at most 15 characters"
        .to_owned())
}
