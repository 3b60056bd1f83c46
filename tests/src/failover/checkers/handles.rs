//! A handle that was promised to persist comes back as the same open, whatever happened.

use super::super::history::{At, ClientId, Event};
use super::{Checker, Kind, Violation};

#[derive(Default)]
pub struct Handles;

impl Checker for Handles {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation> {
        let who = format!("at {at:?} client {}", client.0);
        match event {
            Event::Opened { file, persistent: false, .. } => {
                let what = format!("{who}: the open of {file} was not made persistent");
                Some(Violation::new(Kind::BadAnswer, what))
            }
            Event::Reclaimed { handle, before, after } if before != after => {
                let what = format!("{who}: {handle:?} was open {before:#x} and is now {after:#x}");
                Some(Violation::new(Kind::LostHandle, what))
            }
            Event::Lost { handle, file, answer } => {
                let what = format!("{who}: {handle:?} of {file} is gone: {answer}");
                Some(Violation::new(Kind::LostHandle, what))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::history::HandleId;
    use super::super::testing::first;
    use super::*;

    #[test]
    fn another_open_is_not_the_same() {
        let reclaimed = |after| Event::Reclaimed { handle: HandleId(1), before: 7, after };
        assert_eq!(first(&mut Handles, &[(1, reclaimed(7))]), None);
        let lost = first(&mut Handles, &[(1, reclaimed(8))]).expect("seen");
        assert_eq!(lost.kind, Kind::LostHandle);
    }
}
