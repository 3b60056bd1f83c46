//! The path between a node and its clients is lost, and nobody fails: the clients go elsewhere and
//! ask for what the node still holds. Every second time the node is not told that they have gone.

use super::{Scene, Strike};
use crate::client::Parting;

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let nodes = scene.nodes();
    let node = scene.random.pick(&nodes).ok_or("no nodes")?;
    let (parting, how) = match scene.random.percent(50) {
        true => (Parting::Silent, "without a word"),
        false => (Parting::Told, "and it was told"),
    };
    let at = scene.around.history.now();
    scene.around.disconnect(node, parting);
    let about = format!("clients of node {node} cut off {how}");
    let victims = vec![node];
    Ok(vec![Strike { victims, at, after: at, counted_from: at, about, ..Strike::default() }])
}
