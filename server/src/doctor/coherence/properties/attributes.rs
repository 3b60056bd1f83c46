//! An extended attribute that one node sets or changes has that value on the other. Attributes of
//! files, security descriptors and identities are kept in them.

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, is_data};

const NAME: &str = "doctor";

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("attributes");
    fresh(on.first, &name).await?;
    on.first.does(steps::hold(&name)).await?;
    on.second.does(steps::hold(&name)).await?;
    on.second.sees(steps::attribute(&name, NAME)).await?;
    let mut seen = Vec::new();
    for (value, what) in [
        (&b"one"[..], "an extended attribute that another node set is there"),
        (b"two", "one that another node changed has its new value"),
    ] {
        on.first.does(steps::set_attribute(&name, NAME, value)).await?;
        let look = steps::attribute(&name, NAME);
        let lag = on.second.comes_to_see(look, |seen| is_data(seen, value)).await?;
        seen.push(Observation::seen(what, lag));
    }
    Ok(seen)
}
