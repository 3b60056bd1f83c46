//! How a new node joins by a token: where it is made, and where it is used.

use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use holdfast_cluster::raft::fetch_parcel;
use holdfast_proto::types::{Guid, NodeId};
use zeroize::Zeroizing;

use super::CommandResult;
use super::certificates::bearer;
use crate::certificates::{Authority, CertificateFolder, NODE_DAYS, ParcelFolder, Token, describe};
use crate::clock::HostClock;
use crate::config::NodeConfig;
use crate::folder::NodeFolder;
use crate::random::HostRandom;

/// For whom, and where it is left.
#[derive(Args)]
pub struct TokenArguments {
    /// The folder of the cluster's authority
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
    /// The new node's number
    #[arg(long, value_name = "NODE", value_parser = clap::value_parser!(u64).range(1..=u64::from(u16::MAX)))]
    node: u64,
    /// The settings file of a node of this host, which is to hand the certificate out
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How long the token may be used
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    hours: u32,
    /// How long the certificate is good
    #[arg(long, value_name = "DAYS", default_value_t = NODE_DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

/// Makes a certificate, leaves it sealed at a node, and prints the token that opens it.
pub fn make(arguments: TokenArguments) -> CommandResult {
    let authority = Authority::open(&arguments.authority)?;
    let config = NodeConfig::load(&arguments.config)?;
    let Some(certificates) = &config.certificates else {
        return Err("the node's settings name no certificates: it hands none out".into());
    };
    // Else the new node would be given what this cluster does not take.
    CertificateFolder::at(certificates).credentials(authority.cluster_id(), config.id)?;
    let folder = NodeFolder::at(&config.folder);
    folder.must_have_begun()?;
    let parcel = authority.pack(NodeId(arguments.node), arguments.days, &HostClock)?;
    let token = Token::new(config.peer_listen, &HostRandom);
    let good_for = Duration::from_secs(60 * 60) * arguments.hours;
    ParcelFolder::at(folder.parcels(), Arc::new(HostClock)).put(
        &token.parcel_id(),
        &token.seal(&parcel),
        good_for,
    )?;
    eprintln!(
        "With this token node {} can fetch its certificate from node {}, once, within {} h. Who has \
         it can become node {}: hand it over like a password, to «holdfast cluster init --token»",
        arguments.node, config.id.0, arguments.hours, arguments.node
    );
    println!("{token}");
    Ok(())
}

/// Fetches the certificate of the node with these settings by a token, which is asked for; returns
/// the cluster's id.
pub async fn fetch(config: &NodeConfig) -> Result<Guid, Box<dyn std::error::Error + Send + Sync>> {
    let Some(folder) = config.certificates.as_ref().map(CertificateFolder::at) else {
        return Err("the settings name no folder for certificates: add certificates = \
                    \"/etc/holdfast/certificates\" to [cluster]"
            .into());
    };
    if fs::exists(folder.identity())? {
        return Err(format!(
            "{}: there is a certificate already; say --cluster-id in place of --token",
            folder.identity().display()
        )
        .into());
    }
    let token: Token = read_token()?.parse()?;
    let fetched = fetch_parcel(token.address, &token.parcel_id()).await;
    let sealed = fetched.map_err(|error| {
        format!("{}: no node hands out certificates there: {error}", token.address)
    })?;
    let Some(sealed) = sealed else {
        return Err(
            "the token is not known there: it was used already, or its time is over; have \
                    another one made"
                .into(),
        );
    };
    let parcel = token.open(sealed)?;
    let names = describe(parcel.identity.as_bytes())?.into_iter().next().map(|own| own.names);
    let name = names.unwrap_or_default().into_iter().next().unwrap_or_default();
    match bearer(&name) {
        Some((node, cluster_id)) if node == config.id => {
            folder.unpack(&parcel)?;
            Ok(cluster_id)
        }
        _ => Err(format!(
            "the token is for {name}, and the settings are node {}'s; have another one made",
            config.id.0
        )
        .into()),
    }
}

/// Tokens are never arguments, which every user of the host could read.
fn read_token() -> io::Result<Zeroizing<String>> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Token: ").map(Zeroizing::new);
    }
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}
