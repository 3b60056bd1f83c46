//! `holdfast cluster certificates`: how the nodes of a cluster come to know each other.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use holdfast_cluster::ports::Clock;
use holdfast_proto::types::{Guid, NodeId};

use super::cluster::{new_cluster_id, parse_id};
use super::whereabouts::done;
use super::{CommandResult, token};
use crate::certificates::{
    AUTHORITY_DAYS, Authority, CertificateFolder, Described, NODE_DAYS, date, describe,
};
use crate::clock::HostClock;
use crate::config::NodeConfig;
use crate::random::HostRandom;

/// What `holdfast cluster certificates --help` says first.
pub const LONG_ABOUT: &str = "Make and replace the certificates by which nodes know each other.\n\n\
    Nodes of different hosts talk TLS 1.3, and each shows a certificate of the cluster's authority \
    that bears its number and the cluster's id. The authority is a folder with a private key: keep \
    it where you administer the cluster, with a backup, and on no node. Whoever has it can make \
    nodes. Without certificates nodes talk in plain text, over loopback alone.\n\n\
    A node's certificates lie in the folder that its settings name:\n  \
    [cluster]\n  certificates = \"/etc/holdfast/certificates\"\n\
    node.pem holds its private key and certificate (mode 0600), authorities.pem what it trusts. A \
    running node takes files that were replaced within 5 s, or at once on SIGHUP, and says so in its \
    log; connections that are open go on while the authorities that it trusts vouch for the other \
    end. Files that it cannot use change nothing.";

/// ... and last.
pub const EXAMPLES: &str = "To begin, with every settings file at hand:\n  \
    holdfast cluster init --config node1.toml --authority AUTHORITY\n  \
    holdfast cluster init --config node2.toml --authority AUTHORITY\n\
    or for nodes elsewhere, carrying the folder there:\n  \
    holdfast cluster certificates issue --authority AUTHORITY --node 2 --out node2\n  \
    scp -pr node2 root@host2:/etc/holdfast/certificates\n\
    or by a token, with node 1 at work and the authority on its host:\n  \
    holdfast cluster certificates token --authority AUTHORITY --node 2 --config node1.toml\n  \
    holdfast cluster init --config node2.toml --token     (on the new node's host; asks for it)\n\n\
    To renew a node's certificate before it ends (see «status»): issue it again, replace the files.\n\n\
    To replace the authority, with the cluster at work:\n  \
    1. holdfast cluster certificates rotate --authority AUTHORITY\n  \
    2. AUTHORITY/trusted.pem to every node, as its authorities.pem: it trusts both\n  \
    3. «issue» for every node, and replace its files\n  \
    4. holdfast cluster certificates rotate --authority AUTHORITY --finish\n  \
    5. AUTHORITY/trusted.pem to every node again: it trusts the new one alone, and ends the streams\n     \
    of whoever has no certificate of it\n\
    Each step must have reached every node before the next. Where the folders are at hand, «trust» \
    does steps 2 and 5.";

/// What may be done with certificates.
#[derive(Subcommand)]
pub enum CertificatesCommand {
    /// Make a cluster's authority
    Init {
        /// Where it is to lie: a folder that has none
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
        /// The cluster's id, if it has one already
        #[arg(long, value_name = "ID", value_parser = parse_id)]
        cluster_id: Option<Guid>,
        #[command(flatten)]
        good_for: AuthorityDays,
    },
    /// Make a key and a certificate for a node, or new ones
    Issue {
        /// The folder of the cluster's authority
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
        /// The node's number
        #[arg(long, value_name = "NODE", value_parser = clap::value_parser!(u64).range(1..=u64::from(u16::MAX)))]
        node: u64,
        /// The node's folder of certificates, or what will become it
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// How long the certificate is good
        #[arg(long, value_name = "DAYS", default_value_t = NODE_DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
    },
    /// Make a token with which a new node fetches its certificate from a node of this host, once
    Token(token::TokenArguments),
    /// Put the authorities that are to be trusted into a node's folder
    Trust {
        /// The folder of the cluster's authority
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
        /// The node's folder of certificates
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Replace the authority, in two steps
    Rotate {
        /// The folder of the cluster's authority
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
        /// The second step: the new authority alone is to be trusted
        #[arg(long)]
        finish: bool,
        #[command(flatten)]
        good_for: AuthorityDays,
    },
    /// Show whose a node's certificates are and until when they are good; status 1 if they are not
    Status {
        /// The node's settings file, which names the folder
        #[arg(long, value_name = "FILE", required_unless_present = "dir", conflicts_with = "dir")]
        config: Option<PathBuf>,
        /// The folder itself
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// How long a new authority is good.
#[derive(Args)]
pub struct AuthorityDays {
    /// How long the authority is good
    #[arg(long, value_name = "DAYS", default_value_t = AUTHORITY_DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

pub fn run(command: CertificatesCommand) -> CommandResult {
    match command {
        CertificatesCommand::Init { authority, cluster_id, good_for } => {
            let id = cluster_id.unwrap_or_else(|| new_cluster_id(&HostRandom));
            Authority::begin(&authority, id, good_for.days, &HostClock)?;
            done(format_args!(
                "Authority of cluster {id}: {}. Its key makes nodes: keep it off them.",
                authority.display()
            ))
        }
        CertificatesCommand::Issue { authority, node, out, days } => {
            let authority = Authority::open(&authority)?;
            let folder = CertificateFolder::at(&out);
            authority.issue(NodeId(node), &folder, days, &HostClock)?;
            done(format_args!(
                "Node {node} of cluster {}: {} and {}",
                authority.cluster_id(),
                folder.identity().display(),
                folder.authorities().display()
            ))
        }
        CertificatesCommand::Token(arguments) => token::make(arguments),
        CertificatesCommand::Trust { authority, out } => {
            let folder = CertificateFolder::at(&out);
            Authority::open(&authority)?.trust(&folder)?;
            done(format_args!("{}", folder.authorities().display()))
        }
        CertificatesCommand::Rotate { authority, finish, good_for } => {
            rotate(&authority, finish, good_for.days)
        }
        CertificatesCommand::Status { config, dir } => status(config, dir),
    }
}

fn rotate(folder: &Path, finish: bool, days: u32) -> CommandResult {
    let authority = Authority::open(folder)?;
    if finish {
        authority.finish_replacement()?;
        return done(format_args!(
            "The new authority alone is to be trusted: {} to every node, as its authorities.pem",
            authority.trusted().display()
        ));
    }
    let new = authority.replace(days, &HostClock)?;
    done(format_args!(
        "A new authority issues from now on. Before it does: {0} to every node, as its \
         authorities.pem. Then «holdfast cluster certificates issue» for each, and once all have \
         theirs, «holdfast cluster certificates rotate --authority {1} --finish»",
        new.trusted().display(),
        folder.display()
    ))
}

fn status(config: Option<PathBuf>, dir: Option<PathBuf>) -> CommandResult {
    let config = config.map(|file| NodeConfig::load(&file)).transpose()?;
    let path = match (&config, dir) {
        (_, Some(dir)) => dir,
        (Some(NodeConfig { certificates: Some(path), .. }), None) => path.clone(),
        _ => {
            return Err("the settings name no certificates: the nodes talk in plain text, over \
                        loopback alone"
                .into());
        }
    };
    let folder = CertificateFolder::at(path);
    let (identity, authorities) = folder.read()?;
    let now = HostClock.wall();
    let own = describe(identity.as_bytes())?;
    for certificate in &own {
        println!("node       {}  {}", certificate.names.join(", "), validity(certificate, now));
    }
    for certificate in describe(&authorities)? {
        println!("authority  {}  {}", certificate.serial, validity(&certificate, now));
    }
    let name = own.first().and_then(|own| own.names.first()).map_or("", String::as_str);
    let Some((node, cluster_id)) = bearer(name) else {
        return Err(format!("«{name}» is not the name of a node").into());
    };
    if let Some(config) = config.filter(|config| config.id != node) {
        return Err(format!("the settings are node {}'s", config.id.0).into());
    }
    folder.credentials(cluster_id, node)?;
    Ok(())
}

/// Whose name that is: node and cluster.
pub(super) fn bearer(name: &str) -> Option<(NodeId, Guid)> {
    let (node, rest) = name.strip_prefix("node-")?.split_once('.')?;
    let cluster = rest.strip_suffix(".holdfast")?;
    Some((NodeId(node.parse().ok()?), cluster.parse().ok()?))
}

fn validity(certificate: &Described, now: std::time::Duration) -> String {
    let until = date(certificate.not_after);
    match certificate.not_after.checked_sub(now) {
        None => format!("EXPIRED since {until}"),
        Some(left) => format!("good until {until}, {} days", left.as_secs() / 86_400),
    }
}

/// Takes the folder that the settings name, with the authority by which a node's certificate is
/// issued into it.
///
/// # Errors
/// What `cluster init` was told does not go together with the settings.
pub fn for_init(
    config: &NodeConfig,
    authority: Option<&Path>,
    cluster_id: Option<Guid>,
) -> Result<Option<Authority>, Box<dyn std::error::Error + Send + Sync>> {
    match (&config.certificates, authority) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("the settings name no folder for certificates: add certificates = \
                                \"/etc/holdfast/certificates\" to [cluster], or leave --authority \
                                out"
        .into()),
        (Some(_), Some(folder)) => {
            let new_id = || new_cluster_id(&HostRandom);
            Ok(Some(Authority::open_or_begin(folder, cluster_id, new_id, &HostClock)?))
        }
        (Some(folder), None) => {
            let Some(id) = cluster_id else {
                return Err(
                    "the settings name certificates: say --authority with the folder of the \
                            cluster's authority, which is made if there is none; --token; or, where the \
                            node's certificate was issued elsewhere, --cluster-id"
                        .into(),
                );
            };
            let folder = CertificateFolder::at(folder);
            if !fs::exists(folder.identity()).unwrap_or(false) {
                return Err(format!(
                    "{}: there is no certificate yet. Where the authority is, run «holdfast cluster \
                     certificates issue --node {}» and bring its folder here; or say --authority",
                    folder.identity().display(),
                    config.id.0
                )
                .into());
            }
            folder.credentials(id, config.id)?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_it_is() {
        let id = Guid([9; 16]);
        let name = holdfast_cluster::raft::peer_name(id, 300);
        assert_eq!(bearer(&name), Some((NodeId(300), id)));
        for other in ["", "node-1", "node-x.y.holdfast", "node-1.example.holdfast"] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
