//! Every node ends at once.

use super::{Scene, Strike, kill};

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    kill(scene, scene.nodes()).await
}
