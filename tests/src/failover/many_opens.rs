//! One node dies with very many persistent handles: each is reclaimed, soon enough, and who has
//! nothing to do with it hardly notices.

use std::fs::File;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::history::{At, ClientId, Event, Operation};
use super::measure::percentile;
use super::stage::Stage;
use super::workload::Worker;

/// Clients of other nodes that work all the time.
pub const BYSTANDERS: u64 = 4;
/// Clients that hold the handles.
const HOLDERS: u64 = 50;
/// How long the bystanders are watched before the fault.
const BEFORE: Duration = Duration::from_secs(5);
/// They are watched for at least so long after it.
const AFTER: Duration = Duration::from_secs(2);
/// For opening everything: nothing is measured yet.
const OPEN_LIMIT: Duration = Duration::from_secs(900);
/// Handles are not expected back any more after this.
const BACK_LIMIT: Duration = Duration::from_secs(120);

/// A server keeps a descriptor for each open, and has others besides.
const DESCRIPTORS_BESIDES: u64 = 4_000;

/// Lets nodes that are started from now on have a descriptor for every open, if that may be. What is
/// to be said if it may not: a server then has to do with fewer.
pub fn raise_descriptor_limit(opens: u64) -> Option<String> {
    let wanted = opens + DESCRIPTORS_BESIDES;
    let now = getrlimit(Resource::Nofile);
    let suffices = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if suffices(now.current) {
        return None;
    }
    let maximum = if suffices(now.maximum) { now.maximum } else { Some(wanted) };
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    let error = raised.err()?;
    let limit = now.current.unwrap_or(u64::MAX);
    Some(format!(
        "each node may have {limit} descriptors for {opens} opens, and may not be given more: {error}"
    ))
}

/// Plays it.
pub async fn play(stage: &mut Stage<'_>) -> Result<(), String> {
    stage.cluster.whole(BACK_LIMIT).await?;
    let mut random = stage.plan.random(u64::MAX);
    let leader = stage.cluster.leader(BACK_LIMIT).await?;
    let followers: Vec<u64> = stage.cluster.nodes().filter(|node| *node != leader).collect();
    let victim = random.pick(&followers).ok_or("a cluster of one node has no follower")?;
    prepare(stage)?;
    let holders = hold(stage, victim).await?;
    let bystanders = watch(stage, victim).await?;
    sleep(BEFORE).await;

    let process = stage.cluster.process(victim)?;
    let at = stage.around.history.now();
    process.send(Signal::KILL).map_err(|error| format!("process {}: {error}", process.pid))?;
    stage.about.push(format!("node {victim} killed with {} handles", stage.plan.opens));
    let mut coming = JoinSet::new();
    for mut holder in holders {
        let around = stage.around.clone();
        coming.spawn(async move {
            holder.have_everything().await;
            (holder, around.history.now().saturating_sub(at))
        });
    }
    let back = stage.all(coming, BACK_LIMIT, "have their handles back").await?;
    stage.measured.affected = back.iter().map(|(_, took)| *took).collect();
    let until = stage.around.history.now().max(at + AFTER);
    sleep(until.saturating_sub(stage.around.history.now())).await;
    stage.measured.baseline.extend(p99(stage, at.saturating_sub(BEFORE), at));
    stage.measured.others.extend(p99(stage, at, until));
    stage.around.set_calm();
    for mut bystander in stage.all(bystanders, BACK_LIMIT, "finish what they are about").await? {
        bystander.end().await;
    }
    Ok(())
}

/// Each holder's number, and how many of so many handles are its.
fn shares(opens: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..HOLDERS)
        .map(move |holder| (1_000 + holder, opens / HOLDERS + u64::from(holder < opens % HOLDERS)))
}

/// The files are there before anyone opens them: it is not about creating them.
fn prepare(stage: &Stage<'_>) -> Result<(), String> {
    for (holder, files) in shares(stage.plan.opens) {
        for number in 0..files {
            let path = stage.cluster.volume().join(stage.around.held_file(holder, number));
            File::create_new(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// Opens everything through the node that is to die.
async fn hold(stage: &mut Stage<'_>, victim: u64) -> Result<Vec<Worker>, String> {
    let mut opening = JoinSet::new();
    for (id, share) in shares(stage.plan.opens) {
        let choices = stage.plan.random(id);
        let mut worker = Worker::new(id, stage.around.clone(), victim, choices);
        stage.steps.push(worker.step());
        opening.spawn(async move { worker.hold(share).await.map(|()| worker) });
    }
    let held = stage.all(opening, OPEN_LIMIT, "open their files").await?;
    held.into_iter().collect()
}

/// Lets bystanders work on the other nodes.
async fn watch(stage: &mut Stage<'_>, victim: u64) -> Result<JoinSet<Worker>, String> {
    let elsewhere: Vec<u64> = stage.cluster.nodes().filter(|node| *node != victim).collect();
    let mut working = JoinSet::new();
    for (id, node) in (0..BYSTANDERS).zip(elsewhere.into_iter().cycle()) {
        let mut worker = Worker::new(id, stage.around.clone(), node, stage.plan.random(id));
        stage.steps.push(worker.step());
        worker.begin().await?;
        working.spawn(async move {
            worker.work().await;
            worker
        });
    }
    Ok(working)
}

/// Of the bystanders' operations that were answered in that time.
fn p99(stage: &Stage<'_>, from: At, to: At) -> Option<Duration> {
    let times: Vec<Duration> = stage.around.history.read(|records| {
        let answered = records.iter().filter(|record| {
            record.client < ClientId(BYSTANDERS) && record.at >= from && record.at < to
        });
        let times = answered.filter_map(|record| match record.event {
            Event::Answered { operation, invoked, .. } if operation != Operation::Reclaim => {
                Some(record.at - invoked)
            }
            _ => None,
        });
        times.collect()
    });
    percentile(&times, 99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handle_is_someones() {
        for opens in [1, 49, 50, 2_001, 50_000] {
            assert_eq!(shares(opens).map(|(_, share)| share).sum::<u64>(), opens);
        }
    }
}
