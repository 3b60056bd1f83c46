//! The path to another node, and that node's wall clock.
//!
//! Both come from the same questions, asked over the stream that Raft and the node leases use.

use std::time::Duration;

use holdfast_proto::types::NodeId;
use tokio::time::Instant;

use super::answering;
use super::finding::{Finding, millis};
use crate::ports::{Clock, Cluster, PeerReply, PeerRequest};

/// Questions asked of each node, one after the other.
const QUESTIONS: usize = 20;
/// How long each is waited for.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// So many unanswered in a row, and no more are asked.
const GIVE_UP: usize = 3;

/// Wall clocks that differ by more make file times jump when a client moves.
const APART: Duration = Duration::from_secs(1);
/// By more, programs that compare times (make, backup, synchronisation) go wrong.
const FAR_APART: Duration = Duration::from_secs(60);

/// What came of the questions to one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathFigures {
    pub node: NodeId,
    pub asked: usize,
    /// Of those that were answered, shortest first.
    pub round_trips: Vec<Duration>,
    /// Its wall clock, as its fastest answer tells; none without an answer.
    pub wall: Option<WallOffset>,
}

/// How far another node's wall clock is ahead of this one's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WallOffset {
    /// Nanoseconds; less than zero: behind.
    pub ahead_nanos: i128,
    /// It may be off by this much either way.
    pub within: Duration,
}

/// The times that the path must keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathLimits {
    /// A leader shows that it is there so often.
    pub heartbeat: Duration,
    /// Who hears nothing for so long stands for election.
    pub election: Duration,
    /// A node that could not renew for so long serves nobody.
    pub lease: Duration,
}

/// Asks a node.
pub async fn probe(cluster: &dyn Cluster, clock: &dyn Clock, node: NodeId) -> PathFigures {
    let mut figures = PathFigures { node, asked: 0, round_trips: Vec::new(), wall: None };
    let mut silent = 0;
    while figures.asked < QUESTIONS && silent < GIVE_UP {
        figures.asked += 1;
        let (begun, wall) = (Instant::now(), clock.wall());
        let question = PeerRequest::Examine(answering::read_clocks());
        let answer = cluster.ask(node, question, ANSWER_WAIT).await;
        let round_trip = begun.elapsed();
        let clocks = match answer {
            Ok(PeerReply::Examined(bytes)) => answering::clocks(&bytes),
            Ok(_) | Err(_) => None,
        };
        let Some(their_wall) = clocks else {
            silent += 1;
            continue;
        };
        silent = 0;
        if figures.round_trips.iter().all(|other| round_trip < *other) {
            // It was read somewhere between question and answer.
            let middle = (wall + round_trip / 2).as_nanos() as i128;
            let ahead_nanos = their_wall.as_nanos() as i128 - middle;
            figures.wall = Some(WallOffset { ahead_nanos, within: round_trip / 2 });
        }
        figures.round_trips.push(round_trip);
    }
    figures.round_trips.sort_unstable();
    figures
}

/// Judges path and clock.
pub fn judge(figures: &PathFigures, limits: &PathLimits) -> Vec<Finding> {
    let clock = figures.wall.map(|offset| judge_wall(figures.node, offset));
    [Some(judge_path(figures, limits)), clock].into_iter().flatten().collect()
}

fn judge_path(figures: &PathFigures, limits: &PathLimits) -> Finding {
    let answered = figures.round_trips.len();
    let median = figures.round_trips.get(answered / 2).copied().unwrap_or_default();
    let worst = figures.round_trips.last().copied().unwrap_or_default();
    let check = format!("node {}: path", figures.node.0);
    if answered == 0 {
        return Finding::ok(check, format!("0 of {} answered", figures.asked)).fail(
            format!(
                "it does not answer: without a quorum in reach a node gives up after {}",
                millis(limits.lease)
            ),
            "see whether it runs («holdfast status»), and whether its [cluster] address can be \
             reached from here",
        );
    }
    let finding = Finding::ok(
        check,
        format!(
            "median {}, worst {}, {answered} of {} answered",
            millis(median),
            millis(worst),
            figures.asked
        ),
    );
    const REMEDY: &str = "find out what delays the traffic between the nodes: they belong on one \
        fast network";
    if median > limits.heartbeat {
        return finding.fail(
            format!(
                "half of all answers take longer than the time between heartbeats ({}): elections \
                 and fences follow",
                millis(limits.heartbeat)
            ),
            REMEDY,
        );
    }
    if answered < figures.asked {
        return finding
            .warn(format!("some answers did not come within {}", millis(ANSWER_WAIT)), REMEDY);
    }
    if worst > limits.election / 2 {
        return finding.warn(
            format!(
                "the slowest answer came near the time after which an election begins ({})",
                millis(limits.election)
            ),
            REMEDY,
        );
    }
    finding
}

fn judge_wall(node: NodeId, offset: WallOffset) -> Finding {
    let apart =
        Duration::from_nanos(u64::try_from(offset.ahead_nanos.unsigned_abs()).unwrap_or(u64::MAX));
    let way = if offset.ahead_nanos < 0 { "behind" } else { "ahead" };
    let finding = Finding::ok(
        format!("node {}: wall clock", node.0),
        format!("{} {way} of this node's, within {}", millis(apart), millis(offset.within)),
    );
    // Only what is certain counts.
    let certain = apart.saturating_sub(offset.within);
    const REMEDY: &str = "run a time service (chrony, systemd-timesyncd) on every node";
    if certain > FAR_APART {
        return finding.fail("programs that compare the times of files will go wrong", REMEDY);
    }
    if certain > APART {
        return finding
            .warn("times of files jump when a client moves from one node to another", REMEDY);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    const LIMITS: PathLimits = PathLimits {
        heartbeat: Duration::from_millis(50),
        election: Duration::from_millis(250),
        lease: Duration::from_millis(1500),
    };

    fn level(asked: usize, micros: &[u64]) -> Level {
        let round_trips = micros.iter().copied().map(Duration::from_micros).collect();
        let figures = PathFigures { node: NodeId(2), asked, round_trips, wall: None };
        judge_path(&figures, &LIMITS).level
    }

    #[test]
    fn paths_are_judged() {
        assert_eq!(level(20, &[300; 20]), Level::Ok);
        assert_eq!(level(20, &[300; 19]), Level::Warn);
        assert_eq!(level(3, &[]), Level::Fail);
        assert_eq!(level(20, &[60_000; 20]), Level::Fail);
        let mut one_late = [300; 20];
        one_late[19] = 200_000;
        assert_eq!(level(20, &one_late), Level::Warn);
    }

    #[test]
    fn wall_clocks_are_judged_by_what_is_certain() {
        let level = |ahead_millis: i128, within_millis| {
            let within = Duration::from_millis(within_millis);
            let offset = WallOffset { ahead_nanos: ahead_millis * 1_000_000, within };
            judge_wall(NodeId(2), offset).level
        };
        assert_eq!(level(900, 1), Level::Ok);
        assert_eq!(level(-1_500, 1), Level::Warn);
        assert_eq!(level(1_500, 600), Level::Ok, "it may be the path");
        assert_eq!(level(-61_000, 1), Level::Fail);
        assert_eq!(level(i128::MAX / 2_000_000, 1), Level::Fail);
    }
}
