//! A node that does not lead ends without warning.

use super::{Scene, Strike, kill};

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let leader = scene.leader().await?;
    let followers: Vec<u64> = scene.cluster.nodes().filter(|node| *node != leader).collect();
    let victim = scene.random.pick(&followers).ok_or("a cluster of one node has no follower")?;
    kill(scene, vec![victim]).await
}
