//! What storage must do that several nodes serve at the same time: a file for each property, which
//! has one side act and the other look.
//!
//! The side that is going to look has looked before, so that what it may have cached is stale by
//! then; and descriptors stay open over the change, as clients' do.

mod append;
mod attributes;
mod case;
mod creation;
mod data;
mod exclusive;
mod marks;
mod removal;
mod rename;
mod replace;
mod size;

use holdfast_proto::pb::doctor::Found;
use holdfast_proto::pb::doctor::seen::Kind;

use super::hand::{Lag, Side, Trouble};

/// Something that the server relies on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Property {
    /// A new name is seen, with the same identity.
    Creation,
    /// Of two that create one name, one succeeds.
    Exclusive,
    /// Reads see what was written.
    Data,
    /// Size and time of the last write are seen.
    Size,
    /// Of two that append at one offset, one succeeds.
    Append,
    /// A moved name is seen, and a move never replaces unless it is to.
    Rename,
    /// A name that is replaced denotes something at every moment.
    Replace,
    /// A removed name is gone.
    Removal,
    /// Extended attributes are seen.
    Attributes,
    /// Whoever made a file is known from its mark.
    Marks,
    /// Names that differ by case alone are two names to the storage.
    Case,
}

impl Property {
    /// All of them, in the order in which they are examined.
    pub const ALL: [Property; 11] = [
        Property::Creation,
        Property::Exclusive,
        Property::Data,
        Property::Size,
        Property::Append,
        Property::Rename,
        Property::Replace,
        Property::Removal,
        Property::Attributes,
        Property::Marks,
        Property::Case,
    ];

    /// For operators.
    pub fn name(self) -> &'static str {
        match self {
            Property::Creation => "new names",
            Property::Exclusive => "exclusive creates",
            Property::Data => "data",
            Property::Size => "size and times",
            Property::Append => "appends",
            Property::Rename => "renames",
            Property::Replace => "replacing",
            Property::Removal => "removal",
            Property::Attributes => "extended attributes",
            Property::Marks => "marks of creates",
            Property::Case => "case of names",
        }
    }
}

/// What one look or one contest came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Observation {
    /// What should be so.
    pub what: &'static str,
    pub came: Came,
}

/// How it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Came {
    /// It was to be seen at once.
    Seen(Lag),
    /// It was to be so every time.
    Times { wrong: u32, of: u32 },
    /// The storage takes names that differ by case alone for one.
    CaseFolded(bool),
}

impl Observation {
    fn seen(what: &'static str, lag: Lag) -> Observation {
        Observation { what, came: Came::Seen(lag) }
    }

    fn times(what: &'static str, wrong: u32, of: u32) -> Observation {
        Observation { what, came: Came::Times { wrong, of } }
    }

    fn once(what: &'static str, right: bool) -> Observation {
        Observation::times(what, u32::from(!right), 1)
    }
}

/// The two sides, one of which acts and the other looks.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// Acts.
    pub first: Side<'a>,
    /// Looks.
    pub second: Side<'a>,
    /// Keeps the names of this pair apart from those of other pairs.
    pub tag: &'a str,
    /// The examination.
    pub run: u64,
}

impl Pair<'_> {
    fn name(&self, of: &str) -> String {
        format!("{of}-{}", self.tag)
    }
}

/// Examines one property.
pub async fn examine(property: Property, on: &Pair<'_>) -> Result<Vec<Observation>, Trouble> {
    match property {
        Property::Creation => creation::examine(on).await,
        Property::Exclusive => exclusive::examine(on).await,
        Property::Data => data::examine(on).await,
        Property::Size => size::examine(on).await,
        Property::Append => append::examine(on).await,
        Property::Rename => rename::examine(on).await,
        Property::Replace => replace::examine(on).await,
        Property::Removal => removal::examine(on).await,
        Property::Attributes => attributes::examine(on).await,
        Property::Marks => marks::examine(on).await,
        Property::Case => case::examine(on).await,
    }
}

fn is_found(seen: &Kind) -> bool {
    matches!(seen, Kind::Found(_))
}

fn is_nothing(seen: &Kind) -> bool {
    matches!(seen, Kind::Nothing(_))
}

fn is_data(seen: &Kind, data: &[u8]) -> bool {
    matches!(seen, Kind::Data(found) if found == data)
}

fn has_key(seen: &Kind, key: &[u8]) -> bool {
    matches!(seen, Kind::Found(Found { key: found, .. }) if found == key)
}

fn lists(seen: &Kind, name: &str) -> bool {
    matches!(seen, Kind::Names(names) if names.names.iter().any(|listed| listed == name))
}

/// A file that the examination itself makes under a name of its own.
async fn fresh(side: Side<'_>, name: &str) -> Result<Vec<u8>, Trouble> {
    let key = side.makes(super::hand::steps::make(name)).await?;
    key.ok_or_else(|| Trouble::Storage(format!("somebody else made «{name}»")))
}
