//! While one node replaces what a name denotes, again and again, the other finds something under
//! that name at every look.

use futures::future::join;
use holdfast_proto::pb::doctor::seen::Kind;

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, has_key};

const ROUNDS: u32 = 16;
const LOOKS: u32 = 200;

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("replaced");
    fresh(on.first, &name).await?;
    let replacing = async {
        let mut last = Vec::new();
        for round in 0..ROUNDS {
            let next = on.name(&format!("next{round}"));
            last = fresh(on.first, &next).await?;
            on.first.does(steps::rename(&next, &name, true)).await?;
        }
        Ok::<_, Trouble>(last)
    };
    let (last, watched) = join(replacing, on.second.sees(steps::watch(&name, LOOKS))).await;
    let (last, watched) = (last?, watched?);
    let Kind::Watched(watched) = watched else {
        return Err(Trouble::Storage(format!("unexpected answer {watched:?}")));
    };
    let seen = on.second.comes_to_see(steps::look(&name), |seen| has_key(seen, &last)).await?;
    Ok(vec![
        Observation::times(
            "a name that another node replaces is never missing",
            watched.missing,
            watched.looks,
        ),
        Observation::seen("what another node put in its place is found", seen),
    ])
}
