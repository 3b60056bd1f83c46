//! What a node does when another one examines the cluster, and the bytes in which it is asked.

use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::pb::doctor as pb;
use holdfast_proto::pb::doctor::{reply, request, step};
use holdfast_proto::types::VolumeId;
use prost::Message;

use crate::node::Node;
use crate::ports::PeerReply;

/// Which side of which examination takes a step, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    pub volume: VolumeId,
    /// The examination.
    pub run: u64,
    /// 0 or 1.
    pub side: u32,
}

/// The question for a node's clocks.
pub fn read_clocks() -> Bytes {
    asked(request::Kind::ReadClocks(pb::ReadClocks {}))
}

/// The wall clock in an answer to [`read_clocks`]; none if it is another answer.
pub fn clocks(answer: &[u8]) -> Option<Duration> {
    match pb::Reply::decode(answer).ok()?.kind? {
        reply::Kind::Clocks(clocks) => Some(Duration::from_nanos(clocks.wall_nanos)),
        reply::Kind::Seen(_) | reply::Kind::Failed(_) => None,
    }
}

/// The question to take a step.
pub fn take_step(seat: Seat, action: step::Action) -> Bytes {
    let Seat { volume, run, side } = seat;
    asked(request::Kind::Step(pb::Step { volume: volume.0, run, side, action: Some(action) }))
}

/// What came of a step, or why nothing did; none if it is another answer.
pub fn step_answer(answer: &[u8]) -> Option<Result<pb::Seen, String>> {
    match pb::Reply::decode(answer).ok()?.kind? {
        reply::Kind::Seen(seen) => Some(Ok(seen)),
        reply::Kind::Failed(why) => Some(Err(why)),
        reply::Kind::Clocks(_) => None,
    }
}

fn asked(kind: request::Kind) -> Bytes {
    pb::Request { kind: Some(kind) }.encode_to_vec().into()
}

/// Answers a question. One that this version does not know is answered with "not now".
pub async fn answer(node: &Node, question: &[u8]) -> PeerReply {
    let kind = pb::Request::decode(question).ok().and_then(|request| request.kind);
    let kind = match kind {
        Some(request::Kind::ReadClocks(_)) => reply::Kind::Clocks(pb::Clocks {
            wall_nanos: nanos(node.clock.wall()),
            boot_nanos: nanos(node.clock.boot()),
        }),
        Some(request::Kind::Step(step)) => match take(node, step).await {
            Ok(seen) => reply::Kind::Seen(seen),
            Err(why) => reply::Kind::Failed(why),
        },
        None => return PeerReply::NotNow,
    };
    PeerReply::Examined(pb::Reply { kind: Some(kind) }.encode_to_vec().into())
}

/// Nothing of a node touches the storage but through its gate.
async fn take(node: &Node, step: pb::Step) -> Result<pb::Seen, String> {
    let _permit = node.gate.enter_for_node(|_| true).await.map_err(|error| error.to_string())?;
    node.benches.take(node, step).await
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use holdfast_proto::types::NodeId;

    use super::super::network;
    use super::*;
    use crate::ports::Clock;
    use crate::testing::{self, StillClock};

    #[test]
    fn questions_and_answers_are_told_apart() {
        let seen = pb::Seen { kind: Some(pb::seen::Kind::Done(pb::Done {})) };
        let reply = |kind| pb::Reply { kind: Some(kind) }.encode_to_vec();
        assert_eq!(step_answer(&reply(reply::Kind::Seen(seen.clone()))), Some(Ok(seen)));
        let failed = reply(reply::Kind::Failed("no".to_owned()));
        assert_eq!(step_answer(&failed), Some(Err("no".to_owned())));
        assert_eq!(clocks(&failed), None);
        assert_eq!(step_answer(b"\xff"), None);
    }

    /// Two minutes ahead.
    struct Ahead;

    impl Clock for Ahead {
        fn boot(&self) -> Duration {
            StillClock.boot()
        }

        fn wall(&self) -> Duration {
            StillClock.wall() + Duration::from_secs(120)
        }
    }

    #[tokio::test]
    async fn clocks_that_differ_and_nodes_that_are_silent_are_found() {
        let (node, cluster) = testing::node(BTreeMap::new());
        let limits = network::PathLimits {
            heartbeat: Duration::from_secs(5),
            election: Duration::from_secs(10),
            lease: Duration::from_secs(30),
        };
        let levels = async |clock: &dyn Clock, id| {
            let figures = network::probe(&*node.cluster, clock, NodeId(id)).await;
            let found = network::judge(&figures, &limits);
            found.into_iter().map(|finding| finding.level).collect::<Vec<_>>()
        };
        use super::super::Level::{Fail, Ok};
        assert_eq!(levels(&StillClock, 1).await, [Ok, Ok]);
        assert_eq!(levels(&Ahead, 1).await, [Ok, Fail]);
        cluster.join(NodeId(2));
        assert_eq!(levels(&StillClock, 2).await, [Fail], "it answers nobody");
    }
}
