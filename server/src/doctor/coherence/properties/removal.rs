//! A name that one node removes is gone for the other, which had looked at it.

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, is_nothing, lists};

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("removed");
    fresh(on.first, &name).await?;
    on.second.sees(steps::look(&name)).await?;
    on.second.sees(steps::list()).await?;
    on.first.does(steps::remove(&name)).await?;
    let gone = on.second.comes_to_see(steps::look(&name), is_nothing).await?;
    let listed = on.second.comes_to_see(steps::list(), |seen| !lists(seen, &name)).await?;
    Ok(vec![
        Observation::seen("a name that another node removed is gone", gone),
        Observation::seen("it is not in the listing any more", listed),
    ])
}
