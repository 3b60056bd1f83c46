//! Two nodes end at once: of three, the quorum goes with them.

use super::{Scene, Strike, kill};

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let mut nodes = scene.nodes();
    if nodes.len() < 2 {
        return Err("a cluster of one node has no two that could fail".to_owned());
    }
    scene.random.shuffle(&mut nodes);
    nodes.truncate(2);
    kill(scene, nodes).await
}
