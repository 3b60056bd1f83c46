//! The outcomes that an incarnation's submits had, so that a repeat is answered and not carried
//! out again.
//!
//! Bounded: only the newest are kept. A submit older than all that are kept is refused, for it
//! might have been carried out before.

use std::sync::Arc;

use imbl::OrdMap;

use super::limits;
use crate::outcome::Outcome;

/// One incarnation's outcomes, by sequence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Window {
    outcomes: OrdMap<u64, Arc<Outcome>>,
    /// Sequences below this one are forgotten.
    floor: u64,
}

/// What the window says about a submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was never carried out.
    New,
    /// It was, with this outcome.
    Repeat(Arc<Outcome>),
    /// It is older than anything that is remembered.
    Forgotten,
}

impl Window {
    /// What is known about the submit `sequence`.
    pub fn look_up(&self, sequence: u64) -> Known {
        match self.outcomes.get(&sequence) {
            Some(outcome) => Known::Repeat(outcome.clone()),
            None if sequence < self.floor => Known::Forgotten,
            None => Known::New,
        }
    }

    /// The outcome of `sequence`, if it is remembered.
    pub fn outcome(&self, sequence: u64) -> Option<&Outcome> {
        self.outcomes.get(&sequence).map(|outcome| outcome.as_ref())
    }

    /// Remembers an outcome, or replaces the one of a request that waited.
    pub(crate) fn record(&mut self, sequence: u64, outcome: Outcome) {
        self.outcomes.insert(sequence, Arc::new(outcome));
        while self.outcomes.len() > limits::WINDOW {
            let Some((&oldest, _)) = self.outcomes.get_min().map(|(key, value)| (key, value))
            else {
                return;
            };
            self.outcomes.remove(&oldest);
            self.floor = oldest + 1;
        }
    }

    /// For a request that waited: its outcome is replaced if it is still remembered.
    pub(crate) fn settle(&mut self, sequence: u64, outcome: Outcome) {
        if self.outcomes.contains_key(&sequence) {
            self.outcomes.insert(sequence, Arc::new(outcome));
        }
    }

    pub(crate) fn parts(&self) -> (u64, impl Iterator<Item = (u64, &Outcome)>) {
        (self.floor, self.outcomes.iter().map(|(sequence, outcome)| (*sequence, outcome.as_ref())))
    }

    pub(crate) fn from_parts(floor: u64, outcomes: Vec<(u64, Outcome)>) -> Window {
        let outcomes =
            outcomes.into_iter().map(|(sequence, outcome)| (sequence, Arc::new(outcome))).collect();
        Window { outcomes, floor }
    }
}
