//! A node is cut off from the other nodes, in both directions, and its clients still reach it. It is
//! well and does not know that it is alone: it must stop serving before anybody else begins.

use super::partition::{self, Partition, with_other_nodes};
use super::{Scene, Strike};

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let nodes = scene.nodes();
    let victim = scene.random.pick(&nodes).ok_or("no nodes")?;
    let ways = with_other_nodes(scene, victim);
    let how = format!("node {victim} cut off from the other nodes");
    let partition = Partition { victim, ways, how, silent: false, mute: true };
    partition::strike(scene, partition).await
}
