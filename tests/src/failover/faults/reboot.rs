//! The power of every node goes, and comes back on another day: the hosts have booted anew, with a
//! boot clock that begins at zero, another boot id, and a wall clock that is two days ahead. What
//! clients were promised is not a matter of any clock's reading: every handle can be had back, for as
//! long as was promised and no longer, counted from when there is a cluster again to ask.

use std::time::Duration;

use holdfast_proto::types::FileTime;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use super::super::checkers::{Kind, Violation};
use super::super::history::{At, Event};
use super::super::workload::Worker;
use super::{BACK_LIMIT, END_LIMIT, Scene, Strike, running_again};
use crate::cluster::{Boot, Process, boot_clock};

/// How far the wall clock has moved on.
const AHEAD: Duration = Duration::from_secs(2 * 24 * 3600);
/// What the clocks may differ by otherwise.
const DOUBT: Duration = Duration::from_secs(60);
/// For how long the sleepers' handles are to outlive their connections.
const PROMISED: Duration = Duration::from_secs(8);
/// How long before that they must be there for certain.
const BEFORE: Duration = Duration::from_secs(1);
/// How long after it they must be gone: deadlines are looked at now and then, and time without a
/// leader does not count.
const AFTER: Duration = Duration::from_secs(4);
/// How many handles each sleeper has.
const HANDLES: u64 = 5;

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let boot = Boot::new(scene.cluster.folder(), AHEAD, scene.random)?;
    let mut early = sleeper(scene, 1).await?;
    let mut late = sleeper(scene, 2).await?;
    let processes: Vec<Process> =
        scene.nodes().iter().map(|node| scene.cluster.process(*node)).collect::<Result<_, _>>()?;
    let history = &scene.around.history;
    let at = history.now();
    scene.cluster.power_off(END_LIMIT).await?;
    let after = history.now();
    scene.cluster.power_on(&boot)?;
    let on = history.now();
    let nodes = scene.nodes();
    let quorum = nodes.len() / 2 + 1;
    running_again(scene, &processes, quorum).await?;
    let counted_from = history.now();
    scene.cluster.whole(BACK_LIMIT).await?;
    let whole = history.now();
    let mut violations = Vec::new();
    for node in &nodes {
        let since = boot_clock(scene.cluster.process(*node)?.pid)?;
        if since > history.now().saturating_sub(on) + DOUBT {
            return Err(format!("node {node} runs on a boot clock of {since:?}: it is not faked"));
        }
    }

    // Their time cannot have begun before the power was back.
    until(history.now(), on + PROMISED.saturating_sub(BEFORE)).await;
    let (asked, clock) = early.wake_up(false).await;
    if asked > on + PROMISED {
        return Err("the machine is too slow to ask for anything in time".to_owned());
    }
    let clock = clock.ok_or("a node that does not tell its clock")?;
    let ahead = ahead(clock);
    if ahead < AHEAD.saturating_sub(DOUBT) || ahead > AHEAD + DOUBT {
        return Err(format!(
            "nodes' wall clocks are {ahead:?} ahead instead of {AHEAD:?}: the program does not ask \
             the C library for it, or libfaketime does not work here"
        ));
    }
    // It cannot have begun after every node served.
    until(history.now(), whole + PROMISED + AFTER).await;
    late.wake_up(true).await;
    let expired = history.read(|records| {
        records.iter().filter(|record| matches!(record.event, Event::Expired { .. })).count() as u64
    });
    let outlived = history.read(|records| {
        records.iter().filter(|record| matches!(record.event, Event::Overstayed { .. })).count()
    });
    if expired + outlived as u64 != HANDLES {
        let what = format!("of {HANDLES} handles whose time was over {expired} are gone");
        violations.push(Violation::new(Kind::BadAnswer, what));
    }
    let about = format!(
        "power off, on again after {} ms with the wall clock {} h ahead and the boot clock at zero; \
         {HANDLES} handles of {} s asked for in time, {expired} of {HANDLES} expired after it",
        (on - at).as_millis(),
        ahead.as_secs().div_ceil(3600),
        PROMISED.as_secs(),
    );
    let strike =
        Strike { victims: nodes, at, after, counted_from, about, violations, ..Strike::default() };
    Ok(vec![strike])
}

/// A client of its own that has handles for a time that is not the share's, and has left.
async fn sleeper(scene: &mut Scene<'_>, number: u64) -> Result<Worker, String> {
    let nodes = scene.nodes();
    let node = scene.random.pick(&nodes).ok_or("no nodes")?;
    let (id, choices) = (scene.around.clients + number, scene.random.fork());
    let mut sleeper = Worker::new(id, scene.around.clone(), node, choices);
    sleeper.fall_asleep(HANDLES, PROMISED).await?;
    Ok(sleeper)
}

async fn until(now: At, then: At) {
    sleep(then.saturating_sub(now)).await;
}

/// How far a node's clock is ahead of this host's.
fn ahead(clock: FileTime) -> Duration {
    let now = clock_gettime(ClockId::Realtime).tv_sec;
    Duration::from_secs(u64::try_from(clock.to_unix().0 - now).unwrap_or(0))
}
