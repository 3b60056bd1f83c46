//! Two nodes append at the same offset at the same time: the lock that keeps them apart holds
//! between nodes, so one of them writes there and the other is told that the file's end has moved.

use futures::future::join;
use holdfast_proto::pb::doctor::seen::Kind;

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, is_data};

const ROUNDS: u32 = 16;

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("append");
    fresh(on.first, &name).await?;
    on.first.does(steps::hold(&name)).await?;
    on.second.does(steps::hold(&name)).await?;
    let (mut wrong, mut rounds) = (0, 0);
    // After the first that went wrong nobody knows where the file ends.
    while rounds < ROUNDS && wrong == 0 {
        let offset = u64::from(rounds) * 8;
        rounds += 1;
        let (first, second) = join(
            on.first.succeeds(steps::append(&name, offset, b"of first")),
            on.second.succeeds(steps::append(&name, offset, b"ofsecond")),
        )
        .await;
        let written: &[u8] = match (first?, second?) {
            (true, false) => b"of first",
            (false, true) => b"ofsecond",
            (true, true) | (false, false) => {
                wrong += 1;
                continue;
            }
        };
        let kept: Kind = on.first.sees(steps::read(&name, offset, 8)).await?;
        wrong += u32::from(!is_data(&kept, written));
    }
    Ok(vec![Observation::times("of two that append at one offset, one succeeds", wrong, rounds)])
}
