//! No client reaches a node, nor it them, and all nodes are well: clients that notice go elsewhere and
//! ask for what the node still holds, of which it hears only from the other nodes.

use super::partition::{self, Partition, both};
use super::{Scene, Strike};
use crate::network::Member;

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let nodes = scene.nodes();
    let victim = scene.random.pick(&nodes).ok_or("no nodes")?;
    let ways = both(Member::Clients, Member::Node(victim)).into();
    let how = format!("node {victim} cut off from its clients");
    let partition = Partition { victim, ways, how, silent: true, mute: false };
    partition::strike(scene, partition).await
}
