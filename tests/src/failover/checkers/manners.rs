//! Answers that no server may give, and files that are not there.

use super::super::history::{At, ClientId, Event};
use super::{Checker, Kind, Violation};

#[derive(Default)]
pub struct Manners;

impl Checker for Manners {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation> {
        let (kind, what) = match event {
            Event::BadAnswer { what } => (Kind::BadAnswer, what),
            Event::Missing { what } => (Kind::LostWrite, what),
            _ => return None,
        };
        let what = format!("at {at:?} client {}: {what}", client.0);
        Some(Violation::new(kind, what))
    }
}
