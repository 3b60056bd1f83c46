//! A node hears the other nodes and is not heard, or is heard and hears nothing, by all of them or by
//! one only. What is sent on a connection then arrives, and nobody learns of it.

use super::partition::{self, Partition};
use super::{Scene, Strike};
use crate::network::Member;

pub async fn strike(scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
    let mut others = scene.nodes();
    scene.random.shuffle(&mut others);
    let victim = others.pop().ok_or("no nodes")?;
    let (deaf, all) = (scene.random.percent(50), scene.random.percent(50));
    if !all {
        others.truncate(1);
    }
    let own = Member::Node(victim);
    let ways = others.iter().map(|other| match deaf {
        true => (Member::Node(*other), own),
        false => (own, Member::Node(*other)),
    });
    let ways = ways.collect();
    let whom = match (all, others.first()) {
        (false, Some(other)) => format!("node {other}"),
        _ => "the other nodes".to_owned(),
    };
    let how = match deaf {
        true => format!("node {victim} deaf to {whom}"),
        false => format!("node {victim} not heard by {whom}"),
    };
    let partition = Partition { victim, ways, how, silent: false, mute: false };
    partition::strike(scene, partition).await
}
