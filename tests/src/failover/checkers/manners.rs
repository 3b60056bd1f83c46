//! Answers that no server may give.

use super::super::history::{At, ClientId, Event};
use super::{Checker, Kind, Violation};

#[derive(Default)]
pub struct Manners;

impl Checker for Manners {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation> {
        let Event::BadAnswer { what } = event else { return None };
        let what = format!("at {at:?} client {}: {what}", client.0);
        Some(Violation::new(Kind::BadAnswer, what))
    }
}
