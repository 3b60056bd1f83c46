//! Every message of the server is well formed, signed as agreed, and an answer to something asked.

use super::Checker;
use crate::event::{At, ClientEvent, Event};

pub struct HonestAnswers;

impl Checker for HonestAnswers {
    fn name(&self) -> &'static str {
        "honest answers"
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        match event {
            Event::Client { client, event: ClientEvent::BadAnswer { what } } => {
                Err(format!("{client:?}: {what}"))
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
    fn a_bad_answer_is_seen() {
        let event = client(1, ClientEvent::BadAnswer { what: "wrong signature".to_owned() });
        assert!(judge(&mut HonestAnswers, &[(1, event)]).is_err());
    }
}
