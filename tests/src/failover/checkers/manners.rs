//! Answers that no server may give, files that are not there, and handles that outstay their time.

use super::super::history::{At, ClientId, Event};
use super::{Checker, Kind, Violation};

#[derive(Default)]
pub struct Manners;

impl Checker for Manners {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation> {
        let (kind, what) = match event {
            Event::BadAnswer { what } => (Kind::BadAnswer, what.clone()),
            Event::Missing { what } => (Kind::LostWrite, what.clone()),
            Event::Overstayed { handle, file } => {
                (Kind::BadAnswer, format!("{handle:?} of {file} outlived its time"))
            }
            _ => return None,
        };
        let what = format!("at {at:?} client {}: {what}", client.0);
        Some(Violation::new(kind, what))
    }
}
