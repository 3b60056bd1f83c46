//! Time passes: what is due is carried out, each row checked again against the state as it stands.

use super::*;
use crate::planted::{self, PlantedBug};
use crate::state::{DeadlineRow, ShareMode, WaitNumber};

impl Step<'_> {
    pub(super) fn tick(&mut self) -> Verdict {
        while let Some(&(at, row)) = self.state.indexes.deadlines.get_min() {
            if at > self.state.time {
                break;
            }
            self.state.indexes.deadlines.remove(&(at, row));
            match row {
                DeadlineRow::Open { open, generation } => {
                    let due = self.state.open(open).is_some_and(|found| {
                        found.is_disconnected() && found.generation == generation
                    });
                    let taken = due || planted::is(PlantedBug::ScavengerWithoutGeneration);
                    if taken && let Some(duty) = self.close(open) {
                        self.hand_over(duty);
                    }
                }
                DeadlineRow::Break { file, lease, epoch } => {
                    let due = self.state.lease(lease).is_some_and(|(on, found)| {
                        on == file && found.epoch == epoch && found.breaking.is_some()
                    });
                    if due {
                        self.expire_break(file, lease);
                    }
                }
                DeadlineRow::Wait(number) => self.give_up(number),
            }
        }
        Ok(Outcome::Done)
    }

    /// A contender has waited long enough; the break that it waits for stays pending.
    fn give_up(&mut self, number: WaitNumber) {
        let Some(wait) = self.state.waits.get(&number).cloned() else { return };
        let (terms, file, overwrites) = match &wait.command {
            Command::OpenFile { terms, file, .. } => (Some(terms), Some(*file), false),
            Command::BeginCreate { terms, target, .. } => (Some(terms), *target, true),
            _ => (None, None, false),
        };
        let conflict = terms
            .zip(file)
            .and_then(|(terms, file)| {
                let mode = ShareMode::of_contender(terms.access, terms.share_access, overwrites);
                Some(self.state.file(file)?.share_modes_conflict(mode))
            })
            .unwrap_or(false);
        let refusal = if conflict { Refusal::SharingViolation } else { Refusal::FileNotAvailable };
        self.settle_wait(number, Outcome::Refused(refusal));
    }
}
