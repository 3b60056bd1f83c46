//! Reservations of names: a command takes all that it needs, or waits for one of them.

use std::sync::Arc;

use super::*;
use crate::command::{Command, DutyId, IntentId, Place};
use crate::outcome::DutyKind;
use crate::state::limits;

/// What a name denotes once its reservation ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Denotes {
    /// What it denoted before.
    Unchanged,
    /// This file, or nothing.
    Now(Option<FileKey>),
}

impl Step<'_> {
    /// Refuses a place that is out of bounds.
    pub(super) fn check_place(place: &Place) -> Result<(), Refusal> {
        let fits =
            place.ancestors.len() <= limits::ANCESTORS && place.path.len() <= limits::PATH_BYTES;
        if fits { Ok(()) } else { Err(Refusal::InvalidParameter) }
    }

    /// What keeps a name at `place` from being used now: its reservation, or a rename of a
    /// directory above it.
    pub(super) fn name_in_use(&self, place: &Place) -> Option<WaitOn> {
        let name = NameKey::of(place);
        if self.state.reservation(&name).is_some() {
            return Some(WaitOn::Name(name));
        }
        let moving = |dir: &FileKey| {
            self.state
                .file(*dir)
                .and_then(|file| file.duty())
                .and_then(|duty| self.state.duty(duty))
                .is_some_and(|record| matches!(record.duty.kind, DutyKind::Rename { .. }))
        };
        let above = place.ancestors.iter().chain([&place.parent]);
        above.copied().find(moving).map(WaitOn::File)
    }

    /// Ends an intent: nothing holds its name and its file any more.
    pub(super) fn end_intent(&mut self, id: IntentId, denotes: Denotes) {
        let Some(intent) = self.state.intents.remove(&id) else { return };
        let intent = Arc::unwrap_or_clone(intent);
        self.state.indexes.unlink_intent(id, &intent);
        if let Some(target) = intent.target {
            self.file_mut(target).overwriting = None;
            self.touch(target);
        }
        self.free_name(&intent.place, denotes);
        // Replays are decided anew: they find the open, or begin anew.
        self.freed_names.entry(NameKey::of(&intent.place)).or_default().extend(intent.waiters);
    }

    /// Ends a duty: nothing holds its names and its file any more.
    pub(super) fn drop_duty(&mut self, id: DutyId, done: bool) {
        let Some(record) = self.state.duties.remove(&id) else { return };
        self.state.indexes.unlink_duty(&record);
        let file = record.file();
        self.file_mut(file).duty = None;
        self.touch(file);
        match &record.duty.kind {
            DutyKind::Delete { place, .. } => {
                let denotes = if done { Denotes::Now(None) } else { Denotes::Unchanged };
                self.free_name(place, denotes);
            }
            DutyKind::Rename { from, to, .. } if done => {
                if NameKey::of(from) != NameKey::of(to) {
                    self.free_name(from, Denotes::Now(None));
                }
                self.free_name(to, Denotes::Now(Some(file)));
            }
            DutyKind::Rename { from, to, .. } => {
                self.free_name(from, Denotes::Unchanged);
                self.free_name(to, Denotes::Unchanged);
            }
        }
    }

    /// Frees a name. Who waited for it and took it for something else has to look it up again;
    /// the others are decided anew.
    fn free_name(&mut self, place: &Place, denotes: Denotes) {
        let name = NameKey::of(place);
        let Some(reserved) = self.state.indexes.names.remove(&name) else { return };
        let mut anew = OrdSet::new();
        for number in reserved.waiters {
            let Some(wait) = self.state.waits.get(&number) else { continue };
            let changed = match (denotes, expects(&wait.command, &name)) {
                (Denotes::Now(now), Some(expected)) => now != expected,
                (Denotes::Unchanged, _) | (_, None) => false,
            };
            if changed {
                self.settle_wait(number, Outcome::Refused(Refusal::PlaceChanged));
            } else {
                anew.insert(number);
            }
        }
        self.freed_names.entry(name.clone()).or_default().extend(anew);
        let doomed: Vec<FileKey> = self
            .state
            .indexes
            .doomed
            .range((name.clone(), FileKey::default())..)
            .take_while(|(at, _)| *at == name)
            .map(|(_, file)| *file)
            .collect();
        for file in doomed {
            self.touch(file);
        }
    }
}

/// What a waiting command takes the name to denote; `None` if it does not care.
fn expects(command: &Command, name: &NameKey) -> Option<Option<FileKey>> {
    match command {
        Command::OpenFile { file, .. } => Some(Some(*file)),
        Command::BeginCreate { target, .. } => Some(*target),
        Command::BeginRename { to, replace, .. } if NameKey::of(to) == *name => Some(*replace),
        _ => None,
    }
}
