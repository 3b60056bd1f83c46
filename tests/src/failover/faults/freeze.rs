//! A node that stands still, and what may not happen meanwhile.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::super::checkers::{Kind, Violation};
use super::super::history::{At, ClientId, Event};
use super::Scene;
use crate::cluster::Process;

/// How long it stands still, in milliseconds.
const FREEZE: std::ops::RangeInclusive<u64> = 100..=10_000;
/// A node lease: who thaws before its end is unharmed, beyond it is fenced.
const LEASE: u64 = 1_500;
const POLL: Duration = Duration::from_millis(1);

/// The leader or another node, as often the one as the other.
pub async fn victim(scene: &mut Scene<'_>) -> Result<(u64, &'static str), String> {
    let leader = scene.leader().await?;
    let others: Vec<u64> = scene.nodes().into_iter().filter(|node| *node != leader).collect();
    match scene.random.percent(50) {
        true => Ok((leader, "leader")),
        false => Ok(scene.random.pick(&others).map_or((leader, "leader"), |node| (node, "node"))),
    }
}

/// How long: short times and long ones alike.
pub fn how_long(scene: &mut Scene<'_>) -> Duration {
    Duration::from_millis(match scene.random.percent(40) {
        true => scene.random.between(*FREEZE.start(), LEASE),
        false => scene.random.between(LEASE, *FREEZE.end()),
    })
}

pub fn signal(process: &Process, signal: Signal) -> Result<(), String> {
    process.send(signal).map_err(|error| format!("process {}: {error}", process.pid))
}

/// The clients that use a node now.
pub fn clients_of(scene: &Scene<'_>, node: u64, at: At) -> Vec<ClientId> {
    let clients = scene.around.history.whereabouts(at);
    clients.into_iter().filter(|(_, at)| *at == node).map(|(client, _)| client).collect()
}

/// Waits for `limit`. If the process has ended then, when it was last seen not to have: what came
/// before was too early for certain.
pub async fn until_ended(
    scene: &Scene<'_>,
    process: &Process,
    limit: Duration,
) -> Result<Option<At>, String> {
    let history = &scene.around.history;
    let begun = Instant::now();
    let mut alive = history.now();
    let mut ended = false;
    while begun.elapsed() < limit {
        let looked = history.now();
        if !ended {
            let has_ended = process.has_ended();
            ended = has_ended.map_err(|error| format!("process {}: {error}", process.pid))?;
            if !ended {
                alive = looked;
            }
        }
        sleep(POLL).await;
    }
    Ok(ended.then_some(alive))
}

/// What a node's clients were given back between two moments in which it could still do harm.
pub fn given_back_early(
    scene: &Scene<'_>,
    node: u64,
    clients: &[ClientId],
    (from, to): (At, At),
) -> Vec<Violation> {
    scene.around.history.read(|records| {
        let early = records.iter().filter(|record| {
            record.at > from && record.at <= to && clients.contains(&record.client)
        });
        early
            .filter(|record| matches!(record.event, Event::Reclaimed { .. }))
            .map(|record| {
                let what = format!("given back while node {node} could still act: {record}");
                Violation::new(Kind::LostHandle, what)
            })
            .collect()
    })
}
