//! Short ways to write histories down.

use std::time::Duration;

use super::super::history::{At, Block, ClientId, Event, HandleId, Stamp, WriteEnd};
use super::{Checker, Violation};

pub fn ms(millis: u64) -> At {
    Duration::from_millis(millis)
}

pub fn block(index: u32) -> Block {
    Block { file: "file".to_owned(), index }
}

pub fn invoked(handle: u64, stamp: u64) -> Event {
    Event::WriteInvoked { handle: HandleId(handle), block: block(0), stamp: Stamp(stamp) }
}

pub fn ended(handle: u64, stamp: u64, end: WriteEnd) -> Event {
    Event::WriteEnded { handle: HandleId(handle), block: block(0), stamp: Stamp(stamp), end }
}

pub fn read(stamp: u64, invoked: u64) -> Event {
    let (stamp, invoked) = (Stamp(stamp), ms(invoked));
    Event::ReadReturned { block: block(0), stamp, invoked, cached: false }
}

/// The first thing that is wrong with events at their milliseconds.
pub fn first(checker: &mut impl Checker, events: &[(u64, Event)]) -> Option<Violation> {
    events.iter().find_map(|(at, event)| checker.observe(ms(*at), ClientId(0), event))
}
