//! Whether a volume is one and the same for all nodes at every moment: what one of them does to
//! it, the others must see at their next look. A cache between them that shows yesterday's names,
//! sizes or data breaks every promise about handles that go on elsewhere.
//!
//! The node that examines acts and looks itself, and has each other live node do so in turn, in a
//! folder of the volume that clients do not see. Without another node the same is tried with two
//! sides on this one: what the storage can do at all.

mod bench;
mod hand;
mod judge;
mod properties;
#[cfg(test)]
mod tests;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::state::NodeStatus;
use holdfast_proto::pb::doctor::seen::Kind;
use holdfast_proto::types::{NodeId, VolumeId};
use tokio::time::Instant;

pub use bench::Benches;
pub use judge::{Fitness, fitness, judge};

use super::answering::Seat;
use crate::node::Node;
use hand::{Hand, NodeHand, Side, Trouble, steps};
use properties::{Observation, Pair, Property};
use trial::Trial;

/// How long the examination of one pair of nodes goes on.
const PAIR_MAX: Duration = Duration::from_secs(20);

/// What came of an examination.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Examination {
    pub volume: VolumeId,
    /// Who examined.
    pub node: NodeId,
    /// Whether the other nodes see the folder that this one made.
    pub trees: Vec<(NodeId, Result<bool, Trouble>)>,
    /// From pair to pair, each both ways.
    pub examined: Vec<Examined>,
    /// Every node of the cluster took part in all of it.
    pub complete: bool,
    /// Why something may have been left behind.
    pub left: Option<String>,
}

/// One property, with one node acting and one looking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Examined {
    pub property: Property,
    pub first: NodeId,
    pub second: NodeId,
    pub result: Result<Vec<Observation>, Trouble>,
}

/// Examines a volume with the help of every other live node.
///
/// # Errors
/// This node itself cannot use the volume; for people.
pub async fn examine(node: &Node, volume: VolumeId) -> Result<Examination, String> {
    let run = node.random.next_u64();
    let me = node.cluster.life().node;
    let trial = Trial::begin(node, volume, run).await?;
    let others = others(node, me);
    let mut found = Examination {
        volume,
        node: me,
        trees: Vec::new(),
        examined: Vec::new(),
        complete: others.len() + 1 >= node.cluster.voters().len(),
        left: None,
    };
    let hand = |node_id, side| NodeHand {
        cluster: &*node.cluster,
        node: node_id,
        seat: Seat { volume, run, side },
    };
    let own = hand(me, 0);
    match own.take(steps::enter()).await {
        Ok(Kind::Done(_)) => {
            // Alone, both sides are here.
            let partners = if others.is_empty() { vec![(me, 1)] } else { with_side(&others) };
            for (partner, side) in partners {
                with_partner(&mut found, run, &own, &hand(partner, side), (me, partner)).await;
            }
        }
        Ok(_) => found.trees.push((me, Ok(false))),
        Err(trouble) => found.trees.push((me, Err(trouble))),
    }
    leave(&own).await;
    found.complete &= !found.was_interrupted();
    found.left = trial.end(node).await.err();
    Ok(found)
}

impl Examination {
    /// Somebody did not answer, or there was no time.
    fn was_interrupted(&self) -> bool {
        let silent = |trouble: &Trouble| matches!(trouble, Trouble::Silent(_));
        self.trees.iter().any(|(_, sees)| sees.as_ref().is_err_and(silent))
            || self.examined.iter().any(|one| one.result.as_ref().is_err_and(silent))
    }
}

fn others(node: &Node, me: NodeId) -> Vec<NodeId> {
    let state = node.cluster.state();
    let live = state.nodes().filter(|(_, record)| record.status == NodeStatus::Live);
    live.map(|(id, _)| id).filter(|id| *id != me).collect()
}

fn with_side(nodes: &[NodeId]) -> Vec<(NodeId, u32)> {
    nodes.iter().map(|node| (*node, 0)).collect()
}

/// Has one partner enter, and examines every property with it, both ways.
async fn with_partner(
    found: &mut Examination,
    run: u64,
    own: &NodeHand<'_>,
    partner: &NodeHand<'_>,
    nodes: (NodeId, NodeId),
) {
    let sees = match partner.take(steps::enter()).await {
        Ok(Kind::Done(_)) => Ok(true),
        Ok(_) => Ok(false),
        Err(trouble) => Err(trouble),
    };
    let entered = sees == Ok(true);
    if nodes.0 != nodes.1 {
        found.trees.push((nodes.1, sees));
    } else if let Err(trouble) = sees {
        found.trees.push((nodes.1, Err(trouble)));
    }
    if entered {
        found.examined.extend(both_ways(own, partner, nodes, run).await);
    }
    leave(partner).await;
}

/// Every property between two hands, each both ways.
async fn both_ways(
    one: &dyn Hand,
    other: &dyn Hand,
    (first, second): (NodeId, NodeId),
    run: u64,
) -> Vec<Examined> {
    let begun = Instant::now();
    let mut examined: Vec<Examined> = Vec::new();
    let there = (Side(one), Side(other), first, second, format!("{}a", second.0));
    let back = (Side(other), Side(one), second, first, format!("{}b", second.0));
    let mut silent: Option<Trouble> = None;
    for (acts, looks, first, second, tag) in [there, back] {
        let pair = Pair { first: acts, second: looks, tag: &tag, run };
        for property in Property::ALL {
            let result = match &silent {
                // It will not answer for the others either.
                Some(trouble) => Err(trouble.clone()),
                None if begun.elapsed() > PAIR_MAX => {
                    Err(Trouble::Silent(format!("no time was left after {} s", PAIR_MAX.as_secs())))
                }
                None => properties::examine(property, &pair).await,
            };
            if let Err(trouble @ Trouble::Silent(_)) = &result {
                silent = Some(trouble.clone());
            }
            examined.push(Examined { property, first, second, result });
        }
    }
    examined
}

/// Has a side give up its descriptors. One that does not hear it gives them up when they are idle.
async fn leave(hand: &NodeHand<'_>) {
    if let Err(trouble) = hand.take(steps::leave()).await {
        tracing::debug!(?trouble, node = %hand.node, "a side of an examination was not left");
    }
}

/// [`examine`] that goes on to its end although nobody waits for it any more.
///
/// # Errors
/// As there.
pub async fn examine_to_the_end(node: Arc<Node>, volume: VolumeId) -> Result<Examination, String> {
    let examining = tokio::spawn(async move { examine(&node, volume).await });
    examining.await.unwrap_or_else(|error| Err(error.to_string()))
}
