//! Time passes: what is due is carried out, each row checked again against the state as it stands.

use holdfast_proto::types::OpenId;

use super::*;
use crate::planted::{self, PlantedBug};
use crate::state::{DeadlineRow, ShareMode, WaitNumber};

/// Deadlines that one tick carries out at most. What a node's death left behind falls due all at
/// once; the rest is the next tick's, for a deadline is a lower bound.
const DUE_MAX: usize = 8_192;

impl Step<'_> {
    pub(super) fn tick(&mut self) -> Verdict {
        let mut expired = Vec::new();
        for _ in 0..DUE_MAX {
            let Some(&(at, row)) = self.state.indexes.deadlines.get_min() else { break };
            if at > self.state.time {
                break;
            }
            self.state.indexes.deadlines.remove(&(at, row));
            if let DeadlineRow::Open { open, generation } = row {
                let due = self
                    .state
                    .open(open)
                    .is_some_and(|found| found.is_disconnected() && found.generation == generation);
                if due || planted::is(PlantedBug::ScavengerWithoutGeneration) {
                    expired.push(open);
                }
                continue;
            }
            self.expire_opens(std::mem::take(&mut expired));
            match row {
                DeadlineRow::Open { .. } => {}
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
        self.expire_opens(expired);
        Ok(Outcome::Done)
    }

    /// Nobody came back for them.
    fn expire_opens(&mut self, opens: Vec<OpenId>) {
        for duty in self.close_all(opens) {
            self.hand_over(duty);
        }
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
