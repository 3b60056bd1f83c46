//! Whether the storage takes names that differ by case alone for two, as POSIX does. The server
//! matches without case itself; storage that does so by a table of its own may disagree with it.

use super::super::hand::{Trouble, steps};
use super::{Came, Observation, Pair, fresh};

pub async fn examine(on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    let tag = on.name("case");
    fresh(on.first, &tag).await?;
    let other = on.second.makes(steps::make(&tag.to_uppercase())).await?;
    let came = Came::CaseFolded(other.is_none());
    Ok(vec![Observation { what: "names that differ by case alone are two names", came }])
}
