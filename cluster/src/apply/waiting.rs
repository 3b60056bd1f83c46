//! The table of waiting requests.

use std::sync::Arc;

use super::*;
use crate::log_time::LogTime;
use crate::state::{Wait, WaitNumber, limits};

impl Step<'_> {
    /// Makes the request wait.
    pub(super) fn begin_wait(&mut self, command: &Command, on: WaitOn) -> Outcome {
        let crowded = match &on {
            WaitOn::File(file) => self
                .state
                .file(*file)
                .is_some_and(|state| state.waiters.len() >= limits::FILE_WAITS),
            WaitOn::Name(_) | WaitOn::Intent(_) => false,
        };
        if crowded || self.state.waits.len() >= limits::WAITS {
            return Outcome::Refused(Refusal::InsufficientResources);
        }
        self.state.counters.wait += 1;
        let number = WaitNumber(self.state.counters.wait);
        let deadline = self.contender_deadline(command);
        let wait = Wait { submit: self.submit, on, deadline, command: command.clone() };
        self.link_wait(number, wait);
        Outcome::Waiting(self.submit)
    }

    /// A contender waits no longer than its own client would; a lock waits until it is cancelled.
    fn contender_deadline(&self, command: &Command) -> Option<LogTime> {
        match command {
            Command::Lock { .. } => None,
            _ => {
                let millis = self.state.timers().contender_wait_millis;
                Some(self.state.time.plus_millis(millis))
            }
        }
    }

    fn link_wait(&mut self, number: WaitNumber, wait: Wait) {
        match &wait.on {
            WaitOn::File(file) => {
                self.file_mut(*file).waiters.insert(number);
            }
            WaitOn::Intent(id) => {
                if let Some(intent) = self.state.intents.get_mut(id) {
                    Arc::make_mut(intent).waiters.insert(number);
                }
            }
            WaitOn::Name(_) => {}
        }
        self.state.indexes.link_wait(number, &wait);
        self.state.waits.insert(number, Arc::new(wait));
    }

    /// Takes a request out of the table.
    pub(super) fn take_wait(&mut self, number: WaitNumber) -> Option<Wait> {
        let wait = Arc::unwrap_or_clone(self.state.waits.remove(&number)?);
        self.state.indexes.unlink_wait(number, &wait);
        match &wait.on {
            WaitOn::File(file) => {
                self.file_mut(*file).waiters.remove(&number);
                self.tidy(*file);
            }
            WaitOn::Intent(id) => {
                if let Some(intent) = self.state.intents.get_mut(id) {
                    Arc::make_mut(intent).waiters.remove(&number);
                }
            }
            WaitOn::Name(_) => {}
        }
        Some(wait)
    }

    /// The request goes on waiting, for something else.
    pub(super) fn move_wait(&mut self, number: WaitNumber, on: WaitOn) {
        if let Some(wait) = self.take_wait(number) {
            self.link_wait(number, Wait { on, ..wait });
        }
    }
}
