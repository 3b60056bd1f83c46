//! `holdfast doctor`: whether this host and the cluster can keep what clients are promised.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::json::Json;
use crate::admin::{AdminClient, AdminError, finding_from_wire};
use crate::config::NodeConfig;
use crate::dev;
use crate::doctor::{Finding, Level, host, reach, verdict};
use crate::folder::NodeFolder;

pub const LONG_ABOUT: &str = "Judge clocks, disks, the network, and whether nodes see the storage \
    alike.\n\n\
    Without a running node it examines this host: the clock on which node leases are counted, the \
    disk of the node's log (how long a sync takes, and whether it is too fast to be true), and \
    each volume. With one it also has that node measure the paths to all others and, together with \
    each of them, try out every volume: what one node creates, writes, renames, removes or locks, \
    the other must see at its next look. This happens in a hidden folder of the volume \
    (.holdfast-doctor) which is empty afterwards, while clients go on.\n\n\
    Run it on every host: disks and clocks are those of the host where it runs.";

pub const AFTER_HELP: &str = "Exit status:\n  \
    0  nothing failed; there may be warnings\n  \
    1  something failed\n  \
    2  nothing could be judged: wrong arguments or settings\n\n\
    Example:\n  holdfast doctor --config node1.toml";

/// What to examine.
#[derive(Args)]
pub struct DoctorArguments {
    /// The node's settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// For programs: one JSON record
    #[arg(long)]
    json: bool,
    /// Only warn of storage that forgets: nobody depends on this cluster. So for «holdfast dev»
    #[arg(long)]
    trials: bool,
}

/// 0: nothing failed; 1: something did; 2: nothing could be judged.
pub fn run(arguments: &DoctorArguments) -> ExitCode {
    match judge(arguments) {
        Ok((config, findings)) => {
            if arguments.json {
                println!("{}", json(&config, &findings));
            } else {
                print!("{}", text(&config, &findings));
            }
            match verdict(&findings) {
                Level::Ok | Level::Warn => ExitCode::SUCCESS,
                Level::Fail => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("holdfast: {error}");
            ExitCode::from(2)
        }
    }
}

type Judged = (NodeConfig, Vec<Finding>);

fn judge(arguments: &DoctorArguments) -> Result<Judged, Box<dyn std::error::Error + Send + Sync>> {
    let config = NodeConfig::load(&arguments.config)?;
    let trials = arguments.trials || config.folder.parent().is_some_and(dev::is_dev_folder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(async {
        let mut findings = host::examine(&config, trials).await;
        findings.extend(examine_cluster(&config).await);
        findings
    });
    Ok((config, findings))
}

/// What needs a running node here.
async fn examine_cluster(config: &NodeConfig) -> Vec<Finding> {
    let folder = NodeFolder::at(&config.folder);
    let wait = host::answer_wait(config);
    match AdminClient::connect_for(&folder, wait).await {
        Ok(mut client) => match with_node(&mut client, config).await {
            Ok(findings) => findings,
            Err(error) => vec![
                Finding::ok("cluster", format!("node {} gave no answer", config.id.0))
                    .fail(error.to_string(), "look at «holdfast status» and the node's log"),
            ],
        },
        Err(error) => without_node(config, &error).await,
    }
}

async fn with_node(
    client: &mut AdminClient,
    config: &NodeConfig,
) -> Result<Vec<Finding>, AdminError> {
    let mut findings = client.examine_peers().await?;
    for volume in config.volumes.keys() {
        findings.extend(client.examine_volume(volume.0).await?);
    }
    Ok(findings.into_iter().map(finding_from_wire).collect())
}

async fn without_node(config: &NodeConfig, error: &AdminError) -> Vec<Finding> {
    let mut findings =
        vec![Finding::ok("cluster", format!("node {} does not run here", config.id.0)).warn(
            format!("what needs other nodes was not examined: {error}"),
            "start it, and run this again",
        )];
    for (node, address) in config.peers.iter().filter(|(node, _)| **node != config.id) {
        findings.push(reach::judge(&reach::probe(*node, *address).await));
    }
    findings
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Fail => "FAIL",
    }
}

/// A line for each check; below it why it is not good, and what to do. What is said of several
/// checks is said once.
fn text(config: &NodeConfig, findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.chars().count()).max().unwrap_or(0);
    let mut text = format!("{} (node {})\n", config.name, config.id.0);
    let mut told: Vec<&str> = Vec::new();
    for finding in findings {
        let Finding { check, level, figure, reason, remedy } = finding;
        text += &format!("{:<4}  {check:<width$}  {figure}\n", word(*level));
        if !reason.is_empty() {
            text += &format!("      {reason}\n");
        }
        if !remedy.is_empty() && !told.contains(&remedy.as_str()) {
            text += &format!("      → {remedy}\n");
            told.push(remedy);
        }
    }
    text + &summary(findings)
}

fn summary(findings: &[Finding]) -> String {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    format!("{} ok, {} warn, {} FAIL\n", count(Level::Ok), count(Level::Warn), count(Level::Fail))
}

fn json(config: &NodeConfig, findings: &[Finding]) -> Json {
    let one = |finding: &Finding| {
        Json::Record(vec![
            ("check", finding.check.as_str().into()),
            ("verdict", word(finding.level).into()),
            ("figure", finding.figure.as_str().into()),
            ("reason", finding.reason.as_str().into()),
            ("remedy", finding.remedy.as_str().into()),
        ])
    };
    Json::Record(vec![
        ("node", config.id.0.into()),
        ("name", config.name.as_str().into()),
        ("verdict", word(verdict(findings)).into()),
        ("checks", Json::List(findings.iter().map(one).collect())),
    ])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config() -> NodeConfig {
        let text = "[node]\nid = 3\nfolder = \"n\"\n[cluster]\nlisten = \"127.0.0.1:1\"\n\
                    [[cluster.peer]]\nid = 3\naddress = \"127.0.0.1:1\"\n\
                    [[volume]]\nid = 1\npath = \"v\"\n";
        NodeConfig::parse(Path::new("/etc/n.toml"), text).unwrap()
    }

    #[test]
    fn a_screen_tells_figure_reason_and_remedy() {
        let findings = [
            Finding::ok("boot clock", "up 5 s"),
            Finding::ok("log: sync", "median 2 ms").fail("too fast", "see to it"),
            Finding::ok("volume 1: sync", "median 2 ms").warn("also", "see to it"),
        ];
        assert_eq!(
            text(&config(), &findings),
            "node3 (node 3)\n\
             ok    boot clock      up 5 s\n\
             FAIL  log: sync       median 2 ms\n      too fast\n      → see to it\n\
             warn  volume 1: sync  median 2 ms\n      also\n\
             1 ok, 1 warn, 1 FAIL\n"
        );
        let shown = json(&config(), &findings).to_string();
        assert!(shown.starts_with("{\"node\": 3, \"name\": \"node3\", \"verdict\": \"FAIL\""));
        assert!(shown.contains("{\"check\": \"log: sync\", \"verdict\": \"FAIL\""), "{shown}");
    }
}
