//! Judges a round's history against what clients were promised. Checkers see what clients saw and
//! nothing else.

mod creates;
mod handles;
mod locks;
mod manners;
mod registers;
#[cfg(test)]
mod testing;

use std::fmt;

use super::history::{At, ClientId, Event, Record};

/// What kind of promise was broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    LostHandle,
    LostWrite,
    TornWrite,
    DoubledCreate,
    BrokenLock,
    StaleCache,
    BadAnswer,
    /// Clients or nodes did not come back at all.
    Stuck,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::LostHandle,
        Kind::LostWrite,
        Kind::TornWrite,
        Kind::DoubledCreate,
        Kind::BrokenLock,
        Kind::StaleCache,
        Kind::BadAnswer,
        Kind::Stuck,
    ];

    /// As result files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::LostHandle => "lost-handle",
            Kind::LostWrite => "lost-write",
            Kind::TornWrite => "torn-write",
            Kind::DoubledCreate => "doubled-create",
            Kind::BrokenLock => "broken-lock",
            Kind::StaleCache => "stale-cache",
            Kind::BadAnswer => "bad-answer",
            Kind::Stuck => "stuck",
        }
    }

    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    pub kind: Kind,
    pub what: String,
}

impl Violation {
    pub fn new(kind: Kind, what: impl Into<String>) -> Violation {
        Violation { kind, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.what)
    }
}

/// Follows a history line by line.
trait Checker {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation>;
}

/// Everything that was wrong.
pub fn judge(records: &[Record]) -> Vec<Violation> {
    let mut checkers: [Box<dyn Checker>; 5] = [
        Box::<handles::Handles>::default(),
        Box::<registers::Registers>::default(),
        Box::<creates::Creates>::default(),
        Box::<locks::Locks>::default(),
        Box::<manners::Manners>::default(),
    ];
    let mut found = Vec::new();
    for Record { at, client, event } in records {
        for checker in &mut checkers {
            let violation = checker.observe(*at, *client, event);
            found.extend(violation.filter(|violation| !found.contains(violation)));
        }
    }
    found
}
