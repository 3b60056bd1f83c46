//! A file that one node extends or cuts has its new size on the other, for its name and for a
//! descriptor that was open before; and the same time of the last write.

use holdfast_proto::pb::doctor::seen::Kind;

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh};

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("size");
    fresh(on.first, &name).await?;
    on.first.does(steps::hold(&name)).await?;
    on.second.does(steps::hold(&name)).await?;
    let mut seen = Vec::new();
    for (length, what) in [
        (10_000, "a file that another node extended is longer"),
        (5, "a file that another node cut is shorter"),
    ] {
        on.second.sees(steps::stat(&name)).await?;
        on.second.sees(steps::look(&name)).await?;
        on.first.does(steps::resize(&name, length)).await?;
        let right = |seen: &Kind| matches!(seen, Kind::Found(found) if found.length == length);
        seen.push(Observation::seen(
            what,
            on.second.comes_to_see(steps::stat(&name), right).await?,
        ));
        let by_name = on.second.comes_to_see(steps::look(&name), right).await?;
        seen.push(Observation::seen("its name tells the same size", by_name));
    }
    on.first.does(steps::write(&name, 0, b"later", true)).await?;
    let written = match on.first.sees(steps::stat(&name)).await? {
        Kind::Found(found) => found.written,
        other => return Err(Trouble::Storage(format!("unexpected answer {other:?}"))),
    };
    let right = |seen: &Kind| matches!(seen, Kind::Found(found) if found.written == written);
    let lag = on.second.comes_to_see(steps::stat(&name), right).await?;
    seen.push(Observation::seen("the time of another node's write is seen", lag));
    Ok(seen)
}
