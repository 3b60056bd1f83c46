//! A name that one node moves is where it was moved to for the other, and a move that must not
//! replace does not, even if the name that is in the way was given by the other node just before.

use super::super::hand::{Trouble, steps};
use super::{Observation, Pair, fresh, has_key, is_nothing};

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let (old, new, taken) = (on.name("old"), on.name("moved"), on.name("taken"));
    let key = fresh(on.first, &old).await?;
    on.second.sees(steps::look(&old)).await?;
    on.second.sees(steps::look(&new)).await?;
    let moved = on.first.succeeds(steps::rename(&old, &new, false)).await?;
    let seen = on.second.comes_to_see(steps::look(&new), |seen| has_key(seen, &key)).await?;
    let gone = on.second.comes_to_see(steps::look(&old), is_nothing).await?;

    on.first.sees(steps::look(&taken)).await?;
    let other = fresh(on.second, &taken).await?;
    let refused = !on.first.succeeds(steps::rename(&new, &taken, false)).await?;
    let kept = has_key(&on.second.sees(steps::look(&taken)).await?, &other);
    Ok(vec![
        Observation::once("a name is moved to where nothing is", moved),
        Observation::seen("a file that another node moved has its new name", seen),
        Observation::seen("and not its old one any more", gone),
        Observation::once("a move never replaces what another node has just made", refused && kept),
    ])
}
