//! The leader is cut off from everybody, nodes and clients alike, as when its cable is pulled. It goes
//! on to believe that it leads; no byte of it reaches anyone, not even the end of its connections.

use super::partition::{self, Partition, both, with_other_nodes};
use super::{Scene, Strike};
use crate::network::Member;

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let victim = scene.leader().await?;
    let mut ways = with_other_nodes(scene, victim);
    ways.extend(both(Member::Clients, Member::Node(victim)));
    let how = format!("leader {victim} cut off from everybody");
    let partition = Partition { victim, ways, how, silent: true, mute: true };
    partition::strike(scene, partition).await
}
