//! No successful answer about an open leaves a node whose lease has ended or that knows that it
//! was fenced: what it says may be old.

use super::Checker;
use crate::event::{At, Event};

pub struct ReplyDiscipline;

impl Checker for ReplyDiscipline {
    fn name(&self) -> &'static str {
        "reply discipline"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        match event {
            Event::Replied { life, lease_held, fenced, excused: false }
                if !*lease_held || *fenced =>
            {
                let why = if *fenced { "knows that it is fenced" } else { "has no node lease" };
                Err(format!("{life:?} answered with success although it {why}"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn answers_without_a_lease_are_seen() {
        let replied = |lease_held, fenced| Event::Replied {
            life: life(1, 1),
            lease_held,
            fenced,
            excused: false,
        };
        assert!(judge(&mut ReplyDiscipline, &[(1, replied(true, false))]).is_ok());
        assert!(judge(&mut ReplyDiscipline, &[(1, replied(false, false))]).is_err());
        assert!(judge(&mut ReplyDiscipline, &[(1, replied(true, true))]).is_err());
    }
}
