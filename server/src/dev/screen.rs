//! What people see.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use holdfast_proto::types::NodeId;

use super::layout::{Layout, ip};
use super::readiness::Settled;
use super::supervisor::Event;
use super::takeover::running_as;
use crate::admin::pb;

/// Once every node serves.
pub fn welcome(
    layout: &Layout,
    settled: &Settled,
    states: &BTreeMap<NodeId, pb::StatusReply>,
    took: Duration,
) -> String {
    let (first, second) = (layout.address(NodeId(1)), layout.address(NodeId(2)));
    let root = layout.root().display();
    let share = &settled.share;
    let user = &settled.user;
    let password = settled.password.as_deref();
    let shown = password.unwrap_or("(the one you chose)");
    let mut text = format!(
        "\nHoldfast: {} {} in {:.1} s\n\n",
        count(states.len()),
        if layout.reopened { "again" } else { "ready" },
        took.as_secs_f64()
    );
    for (node, status) in states {
        text += &format!(
            "  node {}    {}   pid {}{}\n",
            node.0,
            layout.address(*node),
            running_as(status).unwrap_or_default(),
            if status.leader == node.0 { "   leads" } else { "" }
        );
    }
    let credentials = match password {
        Some(password) => quoted(&format!("{user}%{password}")),
        None => quoted(user),
    };
    // A comma ends an option: such a password is given in the environment.
    let (environment, options) = match password {
        Some(password) if password.contains(',') => {
            (format!("PASSWD={} ", quoted(password)), format!("username={user}"))
        }
        Some(password) => (String::new(), format!("username={user},password={password}")),
        None => (String::new(), format!("username={user}")),
    };
    text += &format!(
        "  share     {share} (continuously available)\n\
         \x20 user      {user}\n\
         \x20 password  {shown}\n\
         \x20 files     {root}/volume\n\
         \x20 logs      {root}/node1/log and so on\n\n\
         Connect:\n\
         \x20 smbclient {} -p {} -U {credentials}\n\
         \x20 sudo {environment}mount -t cifs {} /mnt -o {}\n\n",
        quoted(&format!("//{}/{share}", first.ip())),
        first.port(),
        quoted(&format!("//{}/{share}", first.ip())),
        quoted(&format!("port={},vers=3.1.1,persistenthandles,{options}", first.port()))
    );
    text += "Try:\n";
    if states.len() >= 3 {
        text += &format!(
            "  Kill node 1 and watch: the others prove it dead and take over what it served,\n\
             \x20 and clients go on at {}:\n\
             \x20   kill -9 $(cat {root}/node1/pid)\n\
             \x20 Freeze node 2: it is dead before anybody else touches what was open there:\n\
             \x20   kill -STOP $(cat {root}/node2/pid)\n",
            second.ip()
        );
    }
    text += &format!(
        "  Ask a node about its cluster:\n    {} status --node-dir {root}/node{}\n\n\
         Ctrl-C ends all nodes.\n",
        program(),
        states.len()
    );
    text
}

/// What the ready file says.
pub fn ready_note(layout: &Layout, states: &BTreeMap<NodeId, pb::StatusReply>) -> String {
    states
        .iter()
        .map(|(node, status)| {
            let pid = running_as(status).unwrap_or_default();
            format!("node {} {} pid {pid}\n", node.0, layout.address(*node))
        })
        .collect()
}

/// A node ended, or did not start.
pub fn event(layout: &Layout, event: &Event) -> String {
    match event {
        Event::Ended { node, pid, how, again_in } => {
            let then = match again_in {
                Some(after) => format!("starting it again in {:.1} s", after.as_secs_f64()),
                None => "it stays down (--no-respawn)".to_owned(),
            };
            let why =
                if how.signal().is_some() { String::new() } else { last_words(layout, *node) };
            format!("node {} (pid {pid}) ended: {}; {then}{why}", node.0, manner(*how))
        }
        Event::NotStarted { node, why } => format!("node {} cannot be started: {why}", node.0),
    }
}

/// Another node has the proof of its end.
pub fn proof(by: NodeId, fencing: &pb::Fencing) -> String {
    let (what, at) = match &fencing.command {
        Some(run) => ("is cut off", run.ended_micros),
        None => ("is dead", fencing.lock_dropped_micros),
    };
    let took = at.saturating_sub(fencing.asked_micros);
    format!(
        "node {} has the proof that node {} (pid {}) {what}, {:.1} ms after it was asked for: \
         what was open there can go on at any other node",
        by.0,
        fencing.node,
        fencing.pid,
        took as f64 / 1000.0
    )
}

/// A node serves again.
pub fn back(node: NodeId, pid: Option<u32>) -> String {
    format!("node {} serves again at {} (pid {})", node.0, ip(node), pid.unwrap_or_default())
}

fn count(nodes: usize) -> String {
    if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") }
}

fn manner(how: ExitStatus) -> String {
    match (how.signal(), how.code()) {
        (Some(9), _) => "killed (signal 9)".to_owned(),
        (Some(6), _) => "it ended itself (signal 6)".to_owned(),
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// What the node said last, for who wants to know why.
fn last_words(layout: &Layout, node: NodeId) -> String {
    let log = layout.log(node);
    let text = fs::read_to_string(&log).unwrap_or_default();
    match text.lines().last() {
        Some(line) => format!("\n  {}: {line}", log.display()),
        None => format!("\n  see {}", log.display()),
    }
}

/// How this program was called.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "holdfast".to_owned())
}

/// For a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=,:%".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_into_a_shell_means_itself() {
        assert_eq!(quoted("//127.0.0.1/demo"), "//127.0.0.1/demo");
        assert_eq!(quoted("demo%pa ss$"), "'demo%pa ss$'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
