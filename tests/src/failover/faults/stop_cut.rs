//! A node freezes while operations of it are on their way to the storage, and is not ended but cut
//! off there: the process lives, thaws, and finds that it has been taken over. From the cut on, which
//! is the proof that others go by, nothing of it may take effect on the storage, and no byte of it
//! may reach a client; and nobody may be given one of its handles before.
//!
//! Its operations are held on their way from just before it freezes until it thaws. So they arrive
//! when others have gone on for seconds, which is the worst that a slow path can do.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::super::checkers::{Kind, Violation};
use super::super::history::{At, ClientId, Event};
use super::freeze::{clients_of, given_back_early, how_long, signal, victim};
use super::{END_LIMIT, Scene, Strike};
use crate::client::Parting;
use crate::layer::{Fate, Life};

/// For how long operations gather before the freeze, in milliseconds.
const GATHER: std::ops::RangeInclusive<u64> = 5..=40;
/// How long a node that was cut off is watched when it has thawed: it must end by itself.
const AFTERMATH: Duration = Duration::from_secs(10);

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let (victim, what) = victim(scene).await?;
    let long = how_long(scene);
    let gather = scene.random.between(*GATHER.start(), *GATHER.end());
    let storage = scene.cluster.storage()?;
    let history = &scene.around.history;
    storage.forget_before(history.begun());
    let process = scene.cluster.process(victim)?;
    let life = storage.life(victim)?;
    let at = history.now();
    storage.hold(victim);
    sleep(Duration::from_millis(gather)).await;
    let stopped = signal(&process, Signal::STOP);
    let frozen = process.stands_still(END_LIMIT).await;
    let after = history.now();
    let clients = clients_of(scene, victim, after);
    scene.around.disconnect(victim, Parting::Silent);
    sleep(long).await;
    // Whatever went wrong: nothing is left behind that stands still or waits for ever.
    let over = history.now();
    let thawed = signal(&process, Signal::CONT);
    let held = storage.release(victim)?;
    stopped.and(thawed)?;
    frozen?;
    let cut = life.cut();
    let cut_at = cut.map(|cut| history.at(cut.at));
    let mut violations =
        given_back_early(scene, victim, &clients, (after, cut_at.map_or(over, |at| at.min(over))));
    let mut fate = String::new();
    let mut refused = 0;
    if let (Some(cut), Some(cut_at)) = (cut, cut_at) {
        if process.ended(AFTERMATH).await.is_err() {
            let what = format!("node {victim} was cut off and does not end");
            violations.push(Violation::new(Kind::Stuck, what));
        }
        violations.extend(took_effect_after(&life, scene));
        violations.extend(heard_after(scene, victim, &clients, cut_at));
        refused =
            life.read(|all| all.iter().filter(|one| one.fate == Fate::Refused).count() as u64);
        fate = format!(
            ", incarnation {} cut off after {} ms: {refused} operations refused",
            cut.incarnation,
            cut_at.saturating_sub(at).as_millis()
        );
    }
    let about = format!(
        "{what} {victim} frozen for {} ms with {held} operations on their way{fate}",
        long.as_millis()
    );
    Ok(vec![Strike {
        victims: vec![victim],
        at,
        after,
        counted_from: at,
        about,
        violations,
        cuts: u64::from(cut.is_some()),
        refused,
        ..Strike::default()
    }])
}

/// Operations of a life that was cut off, and were carried out all the same.
fn took_effect_after(life: &Life, scene: &Scene<'_>) -> Vec<Violation> {
    let Some(cut) = life.cut() else { return Vec::new() };
    life.read(|all| {
        let late = all.iter().filter(|one| one.fate == Fate::Done && one.ended > cut.at);
        late.map(|one| {
            let at = scene.around.history.at(one.ended);
            let (node, incarnation) = (life.node, cut.incarnation);
            let what = format!(
                "a {} of node {node}, incarnation {incarnation}, took effect at {at:?}, after the fence",
                one.operation
            );
            Violation::new(Kind::LostWrite, what)
        })
        .collect()
    })
}

/// What a node's clients still heard of it after the fence.
fn heard_after(scene: &Scene<'_>, node: u64, clients: &[ClientId], cut: At) -> Vec<Violation> {
    scene.around.history.read(|records| {
        let late = records.iter().filter(|record| {
            record.at > cut
                && clients.contains(&record.client)
                && matches!(record.event, Event::HeardLate { .. })
        });
        late.map(|record| {
            let what = format!("node {node} was fenced at {cut:?} and still answered: {record}");
            Violation::new(Kind::BadAnswer, what)
        })
        .collect()
    })
}
