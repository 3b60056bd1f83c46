//! A FILE_CREATE of a name that nobody else uses is carried out exactly once, however often it is
//! sent: its replay answers "created" as the first one did, and gives one open.

use std::collections::BTreeMap;

use super::super::history::{At, ClientId, Event};
use super::{Checker, Kind, Violation};

#[derive(Default)]
pub struct Creates {
    opens: BTreeMap<u64, String>,
}

impl Checker for Creates {
    fn observe(&mut self, at: At, client: ClientId, event: &Event) -> Option<Violation> {
        let what = match event {
            Event::NotCreated { file, answer } => format!("the create of {file} answers {answer}"),
            Event::Opened { open, file, .. } => {
                let other = self.opens.insert(*open, file.clone())?;
                format!("open {open:#x} was given to {other} and to {file}")
            }
            _ => return None,
        };
        let what = format!("at {at:?} client {}: {what}", client.0);
        Some(Violation::new(Kind::DoubledCreate, what))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::history::HandleId;
    use super::super::testing::first;
    use super::*;

    #[test]
    fn one_open_is_given_once() {
        let opened = |handle, open| Event::Opened {
            handle: HandleId(handle),
            file: format!("file {handle}"),
            open,
            persistent: true,
            replayed: false,
        };
        let mut checker = Creates::default();
        assert_eq!(first(&mut checker, &[(1, opened(1, 7)), (2, opened(2, 8))]), None);
        assert!(first(&mut checker, &[(3, opened(3, 7))]).is_some());
    }
}
