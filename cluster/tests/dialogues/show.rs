//! Outcomes, effects and files in few words.

use std::fmt::Write;

use holdfast_cluster::command::{Durability, NodeLife, SubmitId};
use holdfast_cluster::effect::Effect;
use holdfast_cluster::outcome::{Barrier, BrokenLease, Duty, DutyKind, OpenGrant, Outcome};
use holdfast_cluster::state::{Binding, Breaking, FileState};
use holdfast_proto::types::{FileKey, Guid, LeaseState};

pub fn name(guid: Guid) -> String {
    guid.0.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect()
}

pub fn lease(state: LeaseState) -> String {
    let letters = [(LeaseState::READ, 'R'), (LeaseState::WRITE, 'W'), (LeaseState::HANDLE, 'H')];
    let held: String =
        letters.iter().filter(|(bit, _)| state.contains(*bit)).map(|(_, letter)| *letter).collect();
    if held.is_empty() { "-".to_owned() } else { held }
}

fn file(key: FileKey) -> String {
    format!("f{}", key.file)
}

fn life(life: NodeLife) -> String {
    format!("n{}.{}", life.node.0, life.incarnation.0)
}

fn wait(wait: SubmitId) -> String {
    format!("w{}.{}", wait.node.0, wait.sequence)
}

fn barrier(barrier: &Barrier) -> String {
    if barrier.nodes.is_empty() {
        return String::new();
    }
    let nodes: Vec<String> = barrier.nodes.iter().map(|node| life(*node)).collect();
    format!(" barrier={}@{}", nodes.join(","), barrier.index)
}

fn broken(leases: &[BrokenLease]) -> String {
    let mut told = String::new();
    for broken in leases {
        let teller = broken.teller.map_or("nobody".to_owned(), life);
        let (client, key) = (name(broken.client_guid), name(broken.key));
        write!(told, " broken={client}/{key}/{}:{teller}", broken.epoch).unwrap();
    }
    told
}

fn duty(duty: &Duty) -> String {
    let what = match &duty.kind {
        DutyKind::Delete { file: key, place, .. } => {
            format!("delete {} {}", file(*key), place.path)
        }
        DutyKind::Rename { file: key, from, to, replace, .. } => {
            let over = replace.map_or(String::new(), |key| format!(" over {}", file(key)));
            format!("rename {} {} to {}{over}", file(*key), from.path, to.path)
        }
    };
    format!("d{} {what}", duty.id.0)
}

fn durability(durability: Durability) -> String {
    match durability {
        Durability::None => String::new(),
        Durability::Durable { timeout_millis } => format!(" durable={timeout_millis}"),
        Durability::Persistent { timeout_millis } => format!(" persistent={timeout_millis}"),
    }
}

fn grant(grant: &OpenGrant) -> String {
    let mut told = format!("granted o{} g{}", grant.open.open.0, grant.open.generation);
    write!(told, " {} {} {:?}", file(grant.file), grant.place.path, grant.action).unwrap();
    if let Some(held) = &grant.lease {
        let breaking = if held.breaking { " breaking" } else { "" };
        let (key, state) = (name(held.key), lease(held.state));
        write!(told, " lease={key}:{state}/{}{breaking}", held.epoch).unwrap();
    }
    told.push_str(&durability(grant.durability));
    if grant.attached {
        write!(told, " attached channel={}", grant.channel_sequence).unwrap();
    }
    told + &barrier(&grant.barrier)
}

pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Refused(refusal) => format!("refused {refusal:?}"),
        Outcome::Waiting(submit) => format!("waiting {}", wait(*submit)),
        Outcome::Joined { incarnation, session_prefix } => {
            format!("joined incarnation={} prefix={session_prefix}", incarnation.0)
        }
        Outcome::Granted(granted) => grant(granted),
        Outcome::Intent { intent, broken: leases, .. } => {
            format!("intent i{}{}", intent.0, broken(leases))
        }
        Outcome::OwnedBy { open, owner, session } => format!(
            "owned o{} g{} by {} session {session}",
            open.open.0,
            open.generation,
            life(*owner)
        ),
        Outcome::Locked { barrier: held, replayed, broken: leases } => {
            let again = if *replayed { " replayed" } else { "" };
            format!("locked{again}{}{}", barrier(held), broken(leases))
        }
        Outcome::Broken { leases, .. } => format!("clear{}", broken(leases)),
        Outcome::Closed { duty: begun } => {
            format!("closed{}", begun.as_ref().map_or(String::new(), |d| format!(", {}", duty(d))))
        }
        Outcome::Ended { detached, duties } => {
            let kept: Vec<String> = detached.iter().map(|open| format!(" o{}", open.0)).collect();
            let begun: Vec<String> = duties.iter().map(|d| format!(", {}", duty(d))).collect();
            format!("ended, kept:{}{}", kept.concat(), begun.concat())
        }
        Outcome::DeletePendingSet { barrier: held, changed } => {
            let before = if *changed { "" } else { " as before" };
            format!("set{before}{}", barrier(held))
        }
        Outcome::Begun { duty: begun } => format!("begun {}", duty(begun)),
    }
}

pub fn effect(effect: &Effect) -> String {
    match effect {
        Effect::SendBreak { to, notification: n } => {
            let ack = if n.ack_required { " ack" } else { "" };
            let (client, key) = (name(n.client_guid), name(n.key));
            let (from, new) = (lease(n.current), lease(n.new));
            format!("{}: break {client}/{key} {from} to {new} epoch={}{ack}", life(*to), n.epoch)
        }
        Effect::Settled { wait: settled, outcome: came } => {
            format!("{}: {}", wait(*settled), outcome(came))
        }
        Effect::EndSession { to, session } => format!("{}: end {session}", life(*to)),
        Effect::RunDuty { to, duty: begun } => format!("n{}: run {}", to.0, duty(begun)),
        Effect::ResolveIntent { to, intent } => format!("n{}: resolve i{}", to.0, intent.0),
        Effect::Fence { fencer, life: suspect } => {
            format!("n{}: fence {}", fencer.0, life(*suspect))
        }
        Effect::NodeEnded { life: ended } => format!("all: {} ended", life(*ended)),
    }
}

fn breaking(breaking: &Option<Breaking>) -> String {
    let Some(breaking) = breaking else { return String::new() };
    let timer = match breaking.timer {
        Some(timer) => format!(" until {:?}", timer.deadline),
        None => " not delivered".to_owned(),
    };
    format!(" breaking to {}{timer}", lease(breaking.to()))
}

pub fn file_state(state: &FileState) -> String {
    let mut told = String::new();
    for open in state.opens() {
        let binding = match open.binding {
            Binding::Bound { life: served, session } => format!("{} {session}", life(served)),
            Binding::Disconnected { deadline } => format!("away until {deadline:?}"),
        };
        let path = &open.place.path;
        writeln!(
            told,
            "o{} g{} {path}: {binding}{}",
            open.id.0,
            open.generation,
            durability(open.durability)
        )
        .unwrap();
    }
    for (id, held) in state.leases() {
        let (client, key) = (name(id.client_guid), name(id.key));
        let untold = if held.untold.is_some() { " untold" } else { "" };
        let state = lease(held.state);
        writeln!(
            told,
            "lease {client}/{key} {state} epoch={}{}{untold}",
            held.epoch,
            breaking(&held.breaking)
        )
        .unwrap();
    }
    for lock in state.locks() {
        let kind = if lock.range.exclusive { "x" } else { "" };
        writeln!(told, "lock o{} {}+{}{kind}", lock.open.0, lock.range.offset, lock.range.length)
            .unwrap();
    }
    if state.delete_pending() {
        told.push_str("delete pending\n");
    }
    told
}
