//! A node freezes with everything that it was about, and thaws: in time, or long after others have
//! gone on with what was its. Nobody may be given one of its handles while it could still run.

use rustix::process::Signal;

use super::freeze::{clients_of, given_back_early, how_long, signal, until_ended, victim};
use super::{END_LIMIT, Scene, Strike};
use crate::client::Parting;

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let (victim, what) = victim(scene).await?;
    let path_lost = scene.random.percent(50);
    let long = how_long(scene);
    let process = scene.cluster.process(victim)?;
    let history = &scene.around.history;
    let at = history.now();
    signal(&process, Signal::STOP)?;
    let frozen = process.stands_still(END_LIMIT).await;
    let after = history.now();
    let clients = clients_of(scene, victim, after);
    if path_lost {
        scene.around.disconnect(victim, Parting::Silent);
    }
    let ended = until_ended(scene, &process, long).await;
    // Thawed even if something went wrong: nothing is left behind that stands still for ever.
    let over = history.now();
    signal(&process, Signal::CONT)?;
    frozen?;
    let ended = ended?;
    let early = given_back_early(scene, victim, &clients, (after, ended.unwrap_or(over)));
    let fenced = if ended.is_some() { ", fenced" } else { "" };
    let path = if path_lost { ", its clients go elsewhere" } else { "" };
    let about = format!("{what} {victim} frozen for {} ms{path}{fenced}", long.as_millis());
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
