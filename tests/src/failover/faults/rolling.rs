//! Every node is restarted in order, one after the other, as for an upgrade: SIGTERM, and the next
//! one when all serve again. Clients go elsewhere without noticing more than a pause.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::{BACK_LIMIT, Scene, Strike};

/// A node may take this long to end in order.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);
/// Between one node and the next.
const PAUSE: Duration = Duration::from_millis(500);

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let mut nodes = scene.nodes();
    scene.random.shuffle(&mut nodes);
    let mut strikes = Vec::new();
    for victim in nodes {
        let process = scene.cluster.process(victim)?;
        let at = scene.around.history.now();
        let asked = process.send(Signal::TERM);
        asked.map_err(|error| format!("process {}: {error}", process.pid))?;
        process.ended(DRAIN_LIMIT).await?;
        scene.cluster.whole(BACK_LIMIT).await?;
        sleep(PAUSE).await;
        strikes.push(Strike {
            victims: vec![victim],
            at,
            after: at,
            counted_from: at,
            longest: true,
            about: format!("node {victim} restarted"),
            ..Strike::default()
        });
    }
    Ok(strikes)
}
