//! `holdfast status`: one node's picture of its cluster.

use clap::Args;

use super::fencing;
use super::json::Json;
use super::whereabouts::Whereabouts;
use super::{CommandResult, block_on};
use crate::admin::pb;
use crate::admin::pb::node::Standing;

/// What to show.
#[derive(Args)]
pub struct StatusArguments {
    #[command(flatten)]
    node: Whereabouts,
    /// For programs: one JSON record
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: StatusArguments) -> CommandResult {
    block_on(async {
        let status = arguments.node.connect().await?.status().await?;
        if arguments.json {
            println!("{}", json(&status));
        } else {
            print!("{}", text(&status));
        }
        Ok(())
    })
}

fn text(status: &pb::StatusReply) -> String {
    if status.incarnation == 0 {
        return format!(
            "node {} has not joined: it finds no quorum of the cluster's nodes\n",
            status.node
        );
    }
    let mut text = format!(
        "cluster   {}\nanswering node {} (incarnation {}), {}, log applied to {}\n",
        status.cluster_name,
        status.node,
        status.incarnation,
        service(status),
        status.applied
    );
    text += &match status.leader {
        0 => "leader    none known\n".to_owned(),
        leader => format!("leader    node {leader}\n"),
    };
    if !status.log_trouble.is_empty() {
        text += &format!("LOG       {}\n", status.log_trouble);
    }
    for unfit in &status.unfit_volumes {
        text += &format!(
            "VOLUME    {} failed «holdfast doctor», so no new open on it is persistent: {}\n",
            unfit.volume, unfit.why
        );
    }
    text += &format!(
        "opens     {}\nsessions  {}\nshares    {}\nusers     {}\n\n",
        status.opens, status.sessions, status.shares, status.users
    );
    if status.encryption_required {
        text.insert_str(text.len() - 1, "sessions must be encrypted\n");
    }
    text + &nodes_text(status, NodeFilter(None))
}

/// Which nodes are shown: one, or all.
#[derive(Clone, Copy)]
pub struct NodeFilter(pub Option<u64>);

impl NodeFilter {
    /// True for a node that is to be shown.
    pub fn shows(self, node: u64) -> bool {
        self.0.is_none_or(|only| only == node)
    }
}

/// A line for each node, and for each fencing that the answering node knows of.
pub fn nodes_text(status: &pb::StatusReply, filter: NodeFilter) -> String {
    let shown = status.nodes.iter().filter(|node| filter.shows(node.id));
    shown.map(line_of).collect::<String>() + &fencing::text(status, |node| filter.shows(node))
}

fn service(status: &pb::StatusReply) -> &'static str {
    match (status.serving, status.withdrawn) {
        (true, _) => "serving",
        (false, true) => "DRAINED: it serves nobody until «holdfast node resume»",
        (false, false) => "NOT SERVING: no quorum, or not ready",
    }
}

fn standing(node: &pb::Node) -> &'static str {
    match node.standing() {
        Standing::Unknown => "unknown",
        Standing::Live => "live",
        Standing::Suspected => "suspected",
        Standing::Fenced => "fenced",
        Standing::Left => "left",
    }
}

fn line_of(node: &pb::Node) -> String {
    let standing = standing(node);
    let detail = if node.detail.is_empty() { String::new() } else { format!(" ({})", node.detail) };
    format!(
        "node {:<3} {standing}{detail}  {}  incarnation {}  clients {}  pid {}  opens {}  sessions {}\n",
        node.id, node.name, node.incarnation, node.smb_address, node.pid, node.opens, node.sessions
    )
}

/// Times are microseconds since 1970, null where it did not happen.
fn json(status: &pb::StatusReply) -> Json {
    let node = |node: &pb::Node| {
        Json::Record(vec![
            ("id", node.id.into()),
            ("name", node.name.as_str().into()),
            ("standing", standing(node).into()),
            ("detail", node.detail.as_str().into()),
            ("incarnation", node.incarnation.into()),
            ("smb_address", node.smb_address.as_str().into()),
            ("peer_address", node.peer_address.as_str().into()),
            ("pid", node.pid.into()),
            ("opens", node.opens.into()),
            ("sessions", node.sessions.into()),
        ])
    };
    let unfit = |unfit: &pb::UnfitVolume| {
        Json::Record(vec![("volume", unfit.volume.into()), ("why", unfit.why.as_str().into())])
    };
    Json::Record(vec![
        ("cluster", status.cluster_name.as_str().into()),
        ("node", status.node.into()),
        ("incarnation", status.incarnation.into()),
        ("serving", status.serving.into()),
        ("withdrawn", status.withdrawn.into()),
        ("leader", fencing::or_null(status.leader)),
        ("applied", status.applied.into()),
        ("log_trouble", status.log_trouble.as_str().into()),
        ("unfit_volumes", Json::List(status.unfit_volumes.iter().map(unfit).collect())),
        ("opens", status.opens.into()),
        ("sessions", status.sessions.into()),
        ("shares", status.shares.into()),
        ("users", status.users.into()),
        ("encryption_required", status.encryption_required.into()),
        ("nodes", Json::List(status.nodes.iter().map(node).collect())),
        ("fencings", Json::List(status.fencings.iter().map(fencing::certificate_json).collect())),
        (
            "fencing_failures",
            Json::List(status.fencing_failures.iter().map(fencing::failure_json).collect()),
        ),
    ])
}
