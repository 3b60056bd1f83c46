//! What was promised, a file per promise. Observers may look at storage, log and replicas; history
//! checkers know only what clients did and were told.
//!
//! Each has a test that makes it fire, and a bug that can be planted to make it fire in a run.

mod create_once;
mod epochs;
mod fenced_silence;
mod handles;
mod honest_answers;
mod lease_discipline;
mod locks;
mod progress;
mod registers;
mod replicas_agree;
mod reply_discipline;
mod single_issuer;
#[cfg(test)]
mod testing;

use std::fmt;

use crate::event::{At, Event};

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The checker that saw it.
    pub checker: &'static str,
    /// How.
    pub what: String,
    /// Not a promise broken, but something that did not go on.
    pub liveness: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.checker, self.what)
    }
}

/// Watches one promise.
pub trait Checker: Send {
    fn name(&self) -> &'static str;

    /// Sees each event in order; an error says what is broken.
    fn observe(&mut self, at: At, event: &Event) -> Result<(), String>;

    /// Sees the end of the run.
    fn finish(&mut self, _at: At) -> Result<(), String> {
        Ok(())
    }

    /// True if it watches that things go on rather than that they are right.
    fn is_liveness(&self) -> bool {
        false
    }
}

/// All checkers.
pub struct Checkers(Vec<Box<dyn Checker>>);

impl Checkers {
    /// The one list.
    pub fn all() -> Checkers {
        Checkers(vec![
            Box::new(replicas_agree::ReplicasAgree::default()),
            Box::new(single_issuer::SingleIssuer::default()),
            Box::new(fenced_silence::FencedSilence::default()),
            Box::new(lease_discipline::LeaseDiscipline),
            Box::new(reply_discipline::ReplyDiscipline),
            Box::new(registers::Registers::default()),
            Box::new(handles::Handles::default()),
            Box::new(create_once::CreateOnce::default()),
            Box::new(locks::Locks::default()),
            Box::new(epochs::Epochs::default()),
            Box::new(honest_answers::HonestAnswers),
            Box::new(progress::Progress::default()),
        ])
    }

    pub fn observe(&mut self, at: At, event: &Event) -> Result<(), Violation> {
        self.each(|checker| checker.observe(at, event))
    }

    pub fn finish(&mut self, at: At) -> Result<(), Violation> {
        self.each(|checker| checker.finish(at))
    }

    fn each(
        &mut self,
        mut judge: impl FnMut(&mut dyn Checker) -> Result<(), String>,
    ) -> Result<(), Violation> {
        for checker in &mut self.0 {
            let checker = checker.as_mut();
            judge(checker).map_err(|what| Violation {
                checker: checker.name(),
                what,
                liveness: checker.is_liveness(),
            })?;
        }
        Ok(())
    }
}
