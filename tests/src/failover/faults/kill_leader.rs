//! The node that leads ends without warning.

use super::{Scene, Strike, kill};

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let leader = scene.leader().await?;
    kill(scene, vec![leader]).await
}
