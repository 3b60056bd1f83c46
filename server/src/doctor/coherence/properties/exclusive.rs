//! Two nodes create the same name at the same time: one of them makes it, and the other is told.

use futures::future::join;

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair};

const ROUNDS: u32 = 16;

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let mut wrong = 0;
    for round in 0..ROUNDS {
        let name = on.name(&format!("exclusive{round}"));
        let (first, second) =
            join(on.first.makes(steps::make(&name)), on.second.makes(steps::make(&name))).await;
        wrong += u32::from(first?.is_some() == second?.is_some());
    }
    Ok(vec![Observation::times("of two that create one name, one succeeds", wrong, ROUNDS)])
}
