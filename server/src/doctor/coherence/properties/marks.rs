//! A file that one node stages and puts in place tells the other which create made it, until
//! either clears the mark; and it never takes the place of another file. On this rests that a
//! create happens exactly once.

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, is_data, is_nothing};

/// Other examinations have other marks, and intents have none with this bit.
fn mark(on: &Pair<'_>, number: u128) -> u128 {
    1 << 127 | u128::from(on.run) << 8 | number
}

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let name = on.name("marked");
    let (mark, other) = (mark(on, 1), mark(on, 2));
    on.second.sees(steps::mark(&name)).await?;
    let made = on.first.makes(steps::produce(&name, mark)).await?.is_some();
    let right = mark.to_be_bytes();
    let seen = on.second.comes_to_see(steps::mark(&name), |seen| is_data(seen, &right)).await?;
    let refused = on.second.makes(steps::produce(&name, other)).await?.is_none();
    on.second.does(steps::clear_mark(&name, mark)).await?;
    let cleared = on.first.comes_to_see(steps::mark(&name), is_nothing).await?;
    Ok(vec![
        Observation::once("a staged file is put in place", made),
        Observation::seen("its mark is seen by another node", seen),
        Observation::once("a staged file never takes another node's place", refused),
        Observation::seen("a mark that another node cleared is gone", cleared),
    ])
}
