//! A name that one node gives is there for the others, even for one that had just found nothing
//! there; and the file has the same identity for all of them.

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, has_key, is_found, lists};

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("new");
    on.second.sees(steps::look(&name)).await?;
    on.second.sees(steps::list()).await?;
    let key = fresh(on.first, &name).await?;
    let seen = on.second.comes_to_see(steps::look(&name), is_found).await?;
    let listed = on.second.comes_to_see(steps::list(), |seen| lists(seen, &name)).await?;
    let same = has_key(&on.second.sees(steps::look(&name)).await?, &key);
    Ok(vec![
        Observation::seen("a name that another node gave is found", seen),
        Observation::seen("it is in the listing", listed),
        Observation::once("the file has the same identity on both nodes", same),
    ])
}
