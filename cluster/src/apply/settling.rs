//! The one way in which a waiting request ends: by an outcome, once, told to its node.
//!
//! Whatever resolves what it waits for (an acknowledgement, a close, a time-out, a fence, the end
//! of a reservation) marks the file or name; at the end of the entry the requests that wait there
//! are decided anew, in the order in which they began to wait.

use imbl::OrdSet;

use super::*;
use crate::planted::{self, PlantedBug};
use crate::state::{WaitNumber, WaitOn};

impl Step<'_> {
    /// Decides anew what waits at the marked files and names, until nothing is marked. Ends,
    /// because each round either settles a request, moves it, or leaves its place unmarked.
    pub(super) fn settle(&mut self) {
        loop {
            if let Some(file) = self.touched_files.pop_first() {
                let waiters = self.state.file(file).map(|state| state.waiters.clone());
                self.decide_anew(waiters.unwrap_or_default());
                if let Some(duty) = self.begin_delete(file) {
                    self.hand_over(duty);
                }
                self.tidy(file);
            } else if let Some((_, waiters)) = self.freed_names.pop_first() {
                self.decide_anew(waiters);
            } else {
                return;
            }
        }
    }

    pub(super) fn decide_anew(&mut self, waiters: OrdSet<WaitNumber>) {
        for number in in_order(waiters.into_iter().collect()) {
            let Some(wait) = self.state.waits.get(&number).cloned() else { continue };
            match self.decide(wait.submit, &wait.command) {
                Some(Decided::Now(outcome)) => self.settle_wait(number, outcome),
                Some(Decided::Wait(on)) if on != wait.on || matches!(on, WaitOn::Name(_)) => {
                    self.move_wait(number, on);
                }
                Some(Decided::Wait(_)) | None => {}
            }
        }
    }

    /// Ends one wait.
    pub(super) fn settle_wait(&mut self, number: WaitNumber, outcome: Outcome) {
        let Some(wait) = self.take_wait(number) else { return };
        if let Some(window) = self.state.windows.get_mut(&life_of(wait.submit)) {
            window.settle(wait.submit.sequence, outcome.clone());
        }
        self.effect(Effect::Settled { wait: wait.submit, outcome });
    }

    /// Refuses what waits at the file or name: it waits for something that is not there any more.
    pub(super) fn refuse_waiters(&mut self, waiters: OrdSet<WaitNumber>, refusal: Refusal) {
        for number in waiters {
            self.settle_wait(number, Outcome::Refused(refusal));
        }
    }

    /// Drops the requests of a life that ended: there is nobody to tell.
    pub(super) fn drop_waits_of(&mut self, life: NodeLife) {
        let gone: Vec<WaitNumber> = self
            .state
            .waits()
            .filter(|(_, wait)| life_of(wait.submit) == life)
            .map(|(number, _)| number)
            .collect();
        for number in gone {
            if let Some(wait) = self.take_wait(number)
                && let WaitOn::File(file) = wait.on
            {
                self.touch(file);
            }
        }
    }
}

impl State {
    /// A request that waits although it could succeed: somebody forgot to mark what it waits for.
    /// What other tables say of it by now (a refusal, an earlier sending's open) is found out when
    /// its turn comes.
    pub(crate) fn overlooked(&self) -> Option<String> {
        self.waits().find_map(|(number, wait)| {
            let mut copy = self.clone();
            let mut step = Step::new(&mut copy, 0, wait.submit);
            match step.decide(wait.submit, &wait.command) {
                Some(Decided::Now(Outcome::Refused(_) | Outcome::OwnedBy { .. })) => None,
                Some(Decided::Now(Outcome::Granted(grant))) if grant.attached => None,
                Some(Decided::Now(outcome)) => Some(format!("{number:?} {wait:?}: {outcome:?}")),
                Some(Decided::Wait(_)) | None => None,
            }
        })
    }
}

/// The order in which a list is worked through: its own.
#[allow(clippy::disallowed_types, reason = "the planted bug is that order")]
pub(super) fn in_order<T: Ord + std::hash::Hash + Eq>(items: Vec<T>) -> Vec<T> {
    if planted::is(PlantedBug::MapOrderInApply) {
        // Each process has hash keys of its own.
        return items.into_iter().collect::<std::collections::HashSet<T>>().into_iter().collect();
    }
    items
}
