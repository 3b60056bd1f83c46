//! What one node writes the other reads, through a descriptor by which it has read the same bytes
//! before.

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, is_data};

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("data");
    let block = |letter: u8| [letter; 4096];
    fresh(on.first, &name).await?;
    on.first.does(steps::hold(&name)).await?;
    on.first.does(steps::write(&name, 0, &block(b'a'), true)).await?;
    on.second.does(steps::hold(&name)).await?;
    on.second.sees(steps::read(&name, 0, 4096)).await?;
    let mut seen = Vec::new();
    for (letter, stable, what) in [
        (b'b', true, "what another node wrote and synced is read"),
        (b'c', false, "what another node wrote is read before it is synced"),
    ] {
        let data = block(letter);
        on.first.does(steps::write(&name, 0, &data, stable)).await?;
        let look = steps::read(&name, 0, 4096);
        let lag = on.second.comes_to_see(look, |seen| is_data(seen, &data)).await?;
        seen.push(Observation::seen(what, lag));
    }
    Ok(seen)
}
