//! A node freezes with everything that it was about, and thaws: in time, or long after others have
//! gone on with what was its. Nobody may be given one of its handles while it could still run.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::super::checkers::{Kind, Violation};
use super::super::history::{At, ClientId, Event, History};
use super::{END_LIMIT, Scene, Strike};
use crate::client::Parting;
use crate::cluster::Process;

/// How long it stands still, in milliseconds.
const FREEZE: std::ops::RangeInclusive<u64> = 100..=10_000;
const POLL: Duration = Duration::from_millis(1);

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let nodes = scene.nodes();
    let victim = scene.random.pick(&nodes).ok_or("no nodes")?;
    let path_lost = scene.random.percent(50);
    // Short and long ones alike: below the node lease it thaws unharmed, beyond it is fenced.
    let millis = match scene.random.percent(40) {
        true => scene.random.between(*FREEZE.start(), 1_500),
        false => scene.random.between(1_500, *FREEZE.end()),
    };
    let process = scene.cluster.process(victim)?;
    let history = &scene.around.history;
    let at = history.now();
    signal(&process, Signal::STOP)?;
    let frozen = process.stands_still(END_LIMIT).await;
    let after = history.now();
    let clients = history.whereabouts(after);
    let its: Vec<ClientId> =
        clients.iter().filter(|(_, node)| **node == victim).map(|(client, _)| *client).collect();
    if path_lost {
        scene.around.disconnect(victim, Parting::Silent);
    }
    let ended = until_ended(&process, Duration::from_millis(millis), history).await;
    // Thawed even if something went wrong: nothing is left behind that stands still for ever.
    let over = history.now();
    signal(&process, Signal::CONT)?;
    frozen?;
    let ended = ended?;
    let early = history.read(|records| {
        records
            .iter()
            .filter(|record| record.at > after && record.at < over && its.contains(&record.client))
            .filter(|record| ended.is_none_or(|alive| record.at <= alive))
            .filter(|record| matches!(record.event, Event::Reclaimed { .. }))
            .map(|record| {
                let what = format!("given back while node {victim} could still run: {record}");
                Violation::new(Kind::LostHandle, what)
            })
            .collect()
    });
    let fenced = if ended.is_some() { ", fenced" } else { "" };
    let path = if path_lost { ", its clients go elsewhere" } else { "" };
    let about = format!("node {victim} frozen for {millis} ms{path}{fenced}");
    Ok(vec![Strike {
        victims: vec![victim],
        at,
        after,
        counted_from: at,
        about,
        violations: early,
        ..Strike::default()
    }])
}

fn signal(process: &Process, signal: Signal) -> Result<(), String> {
    process.send(signal).map_err(|error| format!("process {}: {error}", process.pid))
}

/// Waits for `limit`. If the process has ended then, when it was last seen not to have: what came
/// before was too early for certain.
async fn until_ended(
    process: &Process,
    limit: Duration,
    history: &History,
) -> Result<Option<At>, String> {
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
