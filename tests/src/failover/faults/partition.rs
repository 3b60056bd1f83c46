//! Ways of a node's network are cut for some time: what is sent on them is lost without a word. What
//! the kinds of partition have in common.

use std::time::Duration;

use tokio::time::sleep;

use super::super::checkers::Violation;
use super::super::history::At;
use super::freeze::{clients_of, given_back_early, until_ended};
use super::{Scene, Strike};
use crate::network::Member;

/// For how long, in milliseconds: some heal before anybody was fenced.
const LONG: std::ops::RangeInclusive<u64> = 500..=8_000;
/// The least, where clients are to notice by themselves.
const NOTICED: u64 = 3_000;

/// What is cut.
pub struct Partition {
    pub victim: u64,
    /// Each in the direction in which it is named.
    pub ways: Vec<(Member, Member)>,
    /// Who is cut off from whom, in words.
    pub how: String,
    /// Clients hear nothing of it either: they must notice by themselves that the path is lost, so
    /// blackouts are counted from their first attempt on another node.
    pub silent: bool,
    /// The victim cannot agree to anything, so whatever it held must wait for the proof of its end.
    pub mute: bool,
}

/// Cuts, waits, and heals.
pub async fn strike(scene: &mut Scene<'_>, partition: Partition) -> Result<Vec<Strike>, String> {
    let Partition { victim, ways, how, silent, mute } = partition;
    let least = if silent { NOTICED } else { *LONG.start() };
    let long = Duration::from_millis(scene.random.between(least, *LONG.end()));
    let network = scene.cluster.network()?;
    let process = scene.cluster.process(victim)?;
    let history = &scene.around.history;
    let at = history.now();
    network.cut(&ways)?;
    let after = history.now();
    let clients = clients_of(scene, victim, after);
    let ended = until_ended(scene, &process, long).await;
    let over = history.now();
    network.heal()?;
    let ended = ended?;
    let violations: Vec<Violation> = match mute {
        true => given_back_early(scene, victim, &clients, (after, ended.unwrap_or(over))),
        false => Vec::new(),
    };
    // A node that had lost its quorum needs a moment to hear that it has one again.
    sleep(Duration::from_millis(200)).await;
    let fenced = if ended.is_some() { ", fenced" } else { "" };
    let about = format!("{how} for {} ms{fenced}", long.as_millis());
    Ok(vec![Strike {
        victims: vec![victim],
        at,
        after,
        counted_from: at,
        from_first_attempt: silent,
        // As long as its clients reach it, it may go on serving for a while.
        longest: !silent,
        over: if silent { At::ZERO } else { over },
        about,
        violations,
        ..Strike::default()
    }])
}

/// Every way between a node and the other nodes, in both directions.
pub fn with_other_nodes(scene: &Scene<'_>, victim: u64) -> Vec<(Member, Member)> {
    let others = scene.nodes().into_iter().filter(|node| *node != victim);
    others.flat_map(|other| both(Member::Node(victim), Member::Node(other))).collect()
}

/// A way and the way back.
pub fn both(one: Member, other: Member) -> [(Member, Member); 2] {
    [(one, other), (other, one)]
}
